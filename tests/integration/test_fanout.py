"""The fan-out benchmark as a whole, small: it runs, and its figures are figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import fanout
from benchmarks.fanout import cost


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
