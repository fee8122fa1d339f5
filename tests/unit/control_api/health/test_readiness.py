"""Readiness says why, and does not flap: each reason needs more to come than to stay away."""

from __future__ import annotations

import pytest

from control_api.health.loop_lag import WINDOW_S, LoopLag
from control_api.health.readiness import MISSES_MAX, Readiness, Reason
from control_api.settings import HealthSettings, SettingsError


def reasons(readiness: Readiness, *, draining: bool = False, journal_failed: bool = False) -> tuple[Reason, ...]:
    return readiness.reasons(draining=draining, journal_failed=journal_failed)


def test_ready_until_something_is_wrong() -> None:
    readiness = Readiness(HealthSettings())
    assert reasons(readiness) == ()
    assert reasons(readiness, draining=True, journal_failed=True) == (Reason.DRAINING, Reason.JOURNAL_FAILED)
    assert reasons(readiness) == ()


def test_slow_event_loop_comes_late_and_goes_late() -> None:
    readiness = Readiness(HealthSettings(loop_lag_unready_s=0.5, loop_lag_ready_s=0.1))
    said = []
    for lag_s in (0.05, 0.3, 0.49, 0.5, 0.3, 0.49, 0.11, 0.09, 0.3):
        readiness.take_loop_lag(lag_s)
        said.append(bool(reasons(readiness)))
    assert said == [False, False, False, True, True, True, True, False, False]


def test_one_lost_check_is_no_reason() -> None:
    readiness = Readiness(HealthSettings())
    for answered in (False, True, False, False, True):
        readiness.take_check(all_answered=answered)
        assert reasons(readiness) == ()
    for _ in range(MISSES_MAX):
        assert reasons(readiness) == ()
        readiness.take_check(all_answered=False)
    assert reasons(readiness) == (Reason.WORKER_SILENT,)
    readiness.take_check(all_answered=True)
    assert reasons(readiness) == ()


def test_lag_is_the_mean_of_the_last_seconds() -> None:
    lag = LoopLag()
    assert lag.mean_s == 0
    for step in range(100):
        lag.observe(1.0, now=step * 0.01)
    assert lag.mean_s == pytest.approx(1.0)
    lag.observe(0.0, now=1 + WINDOW_S + 0.5)
    assert lag.mean_s == pytest.approx(0.0)
    assert lag.histogram.count == 101


@pytest.mark.parametrize(("ready_s", "unready_s"), [(0.5, 0.5), (0.0, 1.0), (2.0, 1.0)])
def test_limits_need_a_gap(ready_s: float, unready_s: float) -> None:
    with pytest.raises(SettingsError, match="expected the first above zero and below the second"):
        HealthSettings(loop_lag_ready_s=ready_s, loop_lag_unready_s=unready_s)
