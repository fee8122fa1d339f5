"""Levels of connections: what each measure does, that nothing flickers, and what estimators may add."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.levels import Level
from signaling.quality import BETTER_BY, BOUNDS, Gauge, Report, level_of, report
from tests.unit.signaling.fake_engine import FakePath

CLEAN = Report(loss=0.0, round_trip_s=0.05, jitter_s=0.002)
ROUGH = replace(CLEAN, loss=0.1)


@pytest.mark.parametrize(("level", "bounds"), BOUNDS.items())
def test_the_worst_measure_decides(level: Level, bounds: object) -> None:
    for name in ("loss", "round_trip_s", "jitter_s"):
        bound = getattr(bounds, name)
        assert level_of(replace(CLEAN, **{name: bound})) is level
        assert level_of(replace(CLEAN, **{name: bound * 1.01})).rank == level.rank + 1


def test_loss_is_that_of_the_worse_direction() -> None:
    before = FakePath(received=1000, lost=10)
    assert report(before, FakePath(received=1090, lost=20)).loss == 0.1
    assert report(before, FakePath(received=1090, lost=20, loss_out=0.3)).loss == 0.3
    assert report(before, FakePath(received=2000, lost=5)).loss == 0  # late ones came
    assert report(before, FakePath(received=1010, lost=15)).loss == 0  # too few to say anything


def looks(gauge: Gauge, *reports: Report | None, silent: bool = False) -> list[Level | None]:
    return [gauge.take(each, silent=silent) for each in reports]


def test_a_level_falls_after_two_looks_and_rises_after_three() -> None:
    gauge = Gauge()
    assert looks(gauge, CLEAN, ROUGH, CLEAN, ROUGH, ROUGH) == [Level.EXCELLENT] * 4 + [Level.POOR]
    assert looks(gauge, CLEAN, CLEAN, ROUGH, CLEAN, CLEAN, CLEAN) == [Level.POOR] * 5 + [Level.EXCELLENT]


def test_the_nearest_of_the_looks_that_agree_is_taken() -> None:
    gauge = Gauge()
    assert looks(gauge, CLEAN, replace(CLEAN, loss=0.5), replace(CLEAN, loss=0.04))[-1] is Level.GOOD


def test_at_the_edge_nothing_flickers() -> None:
    gauge = Gauge()
    edge = BOUNDS[Level.EXCELLENT].loss
    below, above = replace(CLEAN, loss=edge * 0.9), replace(CLEAN, loss=edge * 1.1)
    looks(gauge, above)
    assert set(looks(gauge, *[below] * 20)) == {Level.GOOD}
    assert looks(gauge, *[replace(CLEAN, loss=edge * BETTER_BY * 0.99)] * 3)[-1] is Level.EXCELLENT


def test_a_lost_connection_is_lost_at_once_and_back_at_once() -> None:
    gauge = Gauge()
    looks(gauge, CLEAN)
    assert looks(gauge, CLEAN, silent=True) == [Level.LOST]
    assert looks(gauge, None) == [None]
    assert looks(gauge, CLEAN) == [Level.EXCELLENT]


def test_where_nothing_flows_nothing_is_known() -> None:
    assert looks(Gauge(), None, None) == [None, None]


def test_an_estimator_sets_a_ceiling() -> None:
    gauge = Gauge()
    gauge.ceiling = Level.MINIMAL
    assert looks(gauge, CLEAN) == [Level.MINIMAL]
    gauge.ceiling = None
    assert looks(gauge, *[CLEAN] * 3)[-1] is Level.EXCELLENT


@given(st.lists(st.builds(Report, st.floats(0, 1), st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=40))
def test_no_level_stays_that_all_looks_contradict(reports: list[Report]) -> None:
    gauge = Gauge()
    levels = looks(gauge, *reports)
    for start in range(len(reports) - 2):
        three = [level_of(each) for each in reports[start : start + 3]]
        at = levels[start + 2]
        assert at is not None
        assert at.rank <= max(*(each.rank for each in three), levels[start].rank)  # type: ignore[union-attr]
        if len(set(three)) == 1 and three[0].rank > levels[start].rank:  # type: ignore[union-attr]
            assert at is three[0]
