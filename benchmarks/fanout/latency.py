"""How long the server holds a packet at half of its maximum rate, while its event loop is busy with Python work."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

import uvloop

import benchmarks
from benchmarks.fanout import packets
from benchmarks.fanout.latency_peer import Results, Settings
from benchmarks.fanout.rig import MID, PACKET_BYTES, PUBLISHER_SSRC, Rig

WARM_UP_SECONDS: Final = 0.5
OBSERVED: Final = 4
"""Viewers whose packets are looked at: the first in the fan-out, the last, and two between."""
BUSY_TASKS: Final = 8
PEER_SECONDS_MAX: Final = 60.0
PEER_COMMAND: Final = (sys.executable, "-c", "from benchmarks.fanout.latency_peer import main; main()")
PEER_FOLDER: Final = Path(benchmarks.__path__[0]).parent


def measure_latency(rig: Rig, packets_per_second: float, seconds: float) -> Results:
    """Run the measuring process beside a busy event loop in this one; `packets_per_second` are the publisher's."""
    return uvloop.run(_measure(rig, packets_per_second, seconds))


async def _measure(rig: Rig, packets_per_second: float, seconds: float) -> Results:
    busy = [asyncio.create_task(_work(rig)) for _ in range(BUSY_TASKS)]
    try:
        return await _run_peer(peer_settings(rig, packets_per_second, seconds), seconds)
    finally:
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


def peer_settings(rig: Rig, packets_per_second: float, seconds: float) -> Settings:
    """Return what the measuring process needs to publish to this rig and to watch some of its viewers."""
    last = rig.subscribers - 1
    observed = sorted({last * step // (OBSERVED - 1) for step in range(OBSERVED)})
    return {
        "profile": rig.profile.name,
        "descriptor": rig.publisher.fileno(),
        "key": rig.publisher_key.hex(),
        "ssrc": PUBLISHER_SSRC,
        "mid": MID.decode(),
        "payload_bytes": PACKET_BYTES - packets.OUT_HEADER_BYTES,
        "packets_per_second": packets_per_second,
        "warm_up_packets": int(WARM_UP_SECONDS * packets_per_second) + 1,
        "packets": int(seconds * packets_per_second) + 1,
        "viewers": [
            {"descriptor": rig.viewers[index].socket.fileno(), "key": rig.viewers[index].key.hex()}
            for index in observed
        ],
    }


def peer_descriptors(settings: Settings) -> list[int]:
    """Return the sockets that the measuring process must inherit."""
    return [settings["descriptor"], *(viewer["descriptor"] for viewer in settings["viewers"])]


async def _run_peer(settings: Settings, seconds: float) -> Results:
    peer = await asyncio.create_subprocess_exec(
        *PEER_COMMAND,
        cwd=PEER_FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=peer_descriptors(settings),
    )
    try:
        async with asyncio.timeout(seconds + PEER_SECONDS_MAX):
            output, _ = await peer.communicate(json.dumps(settings).encode())
    finally:
        if peer.returncode is None:
            peer.kill()
            await peer.wait()
    if peer.returncode != 0:
        raise RuntimeError(f"the measuring process ended with {peer.returncode}")
    results: Results = json.loads(output)
    return results


async def _work(rig: Rig) -> None:
    """Keep the interpreter busy as signalling would: messages parsed and written, events and counters read."""
    message = {
        "type": "slots",
        "slots": [{"mid": str(mid), "track": f"track-{mid}", "height": 360} for mid in range(14)],
    }
    while True:
        for _ in range(20):
            message = json.loads(json.dumps(message))
        rig.worker.drain_events()
        rig.worker.counters()
        await asyncio.sleep(0)
