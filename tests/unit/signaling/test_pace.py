"""How long a client that talks too much is left waiting."""

from __future__ import annotations

import pytest

from signaling.pace import Pace, request_units


def test_a_burst_is_free_and_more_is_waited_for() -> None:
    pace = Pace(units_per_s=10, burst=5, now=100.0)
    assert [pace.spend(1, now=100.0) for _ in range(8)] == pytest.approx([0, 0, 0, 0, 0, 0.1, 0.2, 0.3])
    assert pace.spend(1, now=100.3) == pytest.approx(0.1)
    assert pace.spend(1, now=200.0) == 0


def test_the_bucket_does_not_grow_beyond_the_burst() -> None:
    pace = Pace(units_per_s=10, burst=5, now=0.0)
    assert pace.spend(5, now=1e9) == 0
    assert pace.spend(1, now=1e9) == pytest.approx(0.1)


def test_an_offer_costs_more_than_a_ping() -> None:
    assert request_units(0) == 1
    assert request_units(64 * 1024) == 65
