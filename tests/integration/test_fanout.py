"""The fan-out benchmark as a whole, small: it runs, and its figures are figures."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks import fanout
from benchmarks.fanout import cost
from benchmarks.fanout.rig import PRODUCER, Rig
from media.native.libsrtp import Profile
from tests.support.peer_school import until

MANY = 120
"""Viewers for whom the data plane waits for the rest of a frame."""


def test_small_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "PACKETS_PER_PASS", 100)
    path = tmp_path / "fanout.json"
    arguments = ["--subscribers", "3", "--profile", "gcm", "--passes", "1", "--seconds", "0.05", "--json", str(path)]
    monkeypatch.setattr(fanout, "LOAD", 0.0005)
    assert fanout.main(arguments) == 0
    assert "us/packet" in capsys.readouterr().out
    (row,) = json.loads(path.read_text(encoding="utf-8"))
    assert (row["subscribers"], row["profile"]) == (3, "gcm")
    assert row["us_per_packet"] > 0
    assert row["floor_us"] > 0
    assert row["latency_p999_ms"] >= row["latency_p99_ms"] > 0
    assert 20_000 < row["bytes_per_viewer"] < 65_536
    assert row["machine"]["cores"] >= 1


async def test_a_frame_for_many_goes_out_even_if_its_rest_does_not_come() -> None:
    with Rig(MANY, Profile.AEAD_AES_128_GCM, gso=True) as rig:
        first, *rest = rig.seal_frame([600, 600, 600])
        rig.publisher.send(first)
        await until(lambda: rig.worker.counters()["forwarded"] == MANY, "the first packet to all")
        for packet in rest:
            rig.publisher.send(packet)
        await until(lambda: rig.worker.counters()["forwarded"] == 3 * MANY, "the others to all")


async def test_rows_change_while_the_rest_of_a_frame_is_waited_for() -> None:
    with Rig(MANY, Profile.AEAD_AES_128_GCM, gso=True) as rig:
        for frame in range(50):
            first, last = rig.seal_frame([600, 600])
            rig.publisher.send(first)
            rig.worker.set_paused(PRODUCER, frame % 2 == 1)
            await asyncio.sleep(0)
            rig.worker.set_paused(PRODUCER, False)
            rig.publisher.send(last)
        await until(lambda: rig.worker.counters()["rtp_packets"] == 100, "all packets")
        assert rig.worker.counters()["overtaken"] == 0
