"""The benchmark of joins as a whole, small: it runs, and its figures are figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import joins
from benchmarks.joins import idle
from benchmarks.joins.server import quantile_of


def test_small_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "SETTLE_S", 0.1)
    path = tmp_path / "joins.json"
    sizes = "--rush 4 --rush-seconds 0.2 --idle 3 --idle-seconds 0.3 --slow 2 --slow-seconds 0.5"
    assert joins.main([*sizes.split(), "--json", str(path)]) == 0
    assert capsys.readouterr().out.count("\n") == 3
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert figures["rush"]["joined"] == 4
    assert figures["rush"]["join_p99_ms"] >= figures["rush"]["join_p50_ms"] > 0
    assert figures["idle"]["participants"] == 3
    assert figures["slow"]["messages"] > 0
    assert figures["slow"]["reader_latency_max_ms"] > 0


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 0.0), (0.5, 1.0), (0.75, 1.5), (1.0, 2.0)])
def test_quantile_between_the_bounds_of_a_bucket(fraction: float, expected: float) -> None:
    before = {1.0: 10.0, 2.0: 10.0, float("inf"): 10.0}
    after = {1.0: 12.0, 2.0: 14.0, float("inf"): 14.0}
    assert quantile_of(before, after, fraction) == pytest.approx(expected)
