"""The data-plane thread never takes the interpreter lock: somebody holds it for a second, and forwarding goes on.

A process of its own publishes and receives; arrival is stamped by the kernel. A busy computer may hold a thread up for
a while by itself, but not three times, and never for as long as the lock is held here.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from benchmarks.fanout.latency import PEER_COMMAND, PEER_FOLDER, peer_descriptors, peer_settings
from benchmarks.fanout.latency_peer import Results
from benchmarks.fanout.rig import Rig
from media.native import srtp
from media.native.srtp import Profile

HOLD_SECONDS = 1.1
HELD_SECONDS_MIN = 1.0
STOPPED_MS_MAX = 100
PACKETS_PER_SECOND = 200
SUBSCRIBERS = 3
SECONDS = 2.5
ATTEMPTS = 3


def test_forwarding_goes_on_while_the_lock_is_held() -> None:
    srtp.load()
    worst: list[float] = []
    while not worst or min(worst) >= STOPPED_MS_MAX:
        assert len(worst) < ATTEMPTS, f"packets waited for {worst} ms"
        worst.append(longest_stop_ms())


def longest_stop_ms() -> float:
    """Forward for some seconds, hold the lock for one of them, and return the longest time that a packet took.

    Infinite if a packet got lost, or too few came out while the lock was held.
    """
    with Rig(SUBSCRIBERS, Profile.AEAD_AES_128_GCM) as rig:
        settings = peer_settings(rig, PACKETS_PER_SECOND, SECONDS)
        peer = subprocess.Popen(
            PEER_COMMAND,
            cwd=PEER_FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=peer_descriptors(settings),
        )
        with peer:
            assert peer.stdin is not None
            assert peer.stdout is not None
            peer.stdin.write(json.dumps(settings).encode())
            peer.stdin.close()
            wait_for_packets(rig, settings["warm_up_packets"])
            with watched() as gaps:
                before = rig.worker.counters()["forwarded"]
                hold_lock(HOLD_SECONDS)
                during = rig.worker.counters()["forwarded"] - before
            results: Results = json.load(peer.stdout)
    assert max(gaps) > HELD_SECONDS_MIN, "the lock was not held: the test proves nothing"
    missing = results["sent"] * results["viewers"] - len(results["latencies_ns"])
    if missing or during < PACKETS_PER_SECOND * SUBSCRIBERS * HELD_SECONDS_MIN / 2:
        return inf
    return max(results["latencies_ns"]) / 1e6


def hold_lock(seconds: float) -> None:
    """Stay in C code that never gives the lock away: between two bytecodes alone could another thread have it."""
    next(filter((time.monotonic() + seconds).__le__, iter(time.monotonic, None)))


def wait_for_packets(rig: Rig, count: int) -> None:
    deadline = time.monotonic() + 20
    while rig.worker.counters()["forwarded"] < count * SUBSCRIBERS:
        assert time.monotonic() < deadline, rig.worker.counters()
        time.sleep(0.01)


@contextmanager
def watched() -> Iterator[list[float]]:
    """Yield the times for which another thread of Python could not run, in seconds."""
    gaps: list[float] = []
    done = threading.Event()

    def tick() -> None:
        last = time.monotonic()
        while not done.wait(0.005):
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    thread = threading.Thread(target=tick)
    thread.start()
    time.sleep(0.05)
    try:
        yield gaps
    finally:
        time.sleep(0.05)
        done.set()
        thread.join()
