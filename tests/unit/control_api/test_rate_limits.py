"""Buckets of addresses and keys: how much, how long to wait, how many are kept."""

from __future__ import annotations

import random

import pytest

from control_api.rate_limits import Limit, RateLimitError, RateLimits, RateLimitSettings

NAT = "203.0.113.7"


def test_a_burst_then_the_rate() -> None:
    limits = RateLimits(RateLimitSettings(api_burst=3, api_per_s=0.5))
    verdicts = [limits.take(Limit.API, NAT, now=0.0) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert [verdict.left for verdict in verdicts] == [2, 1, 0, 0]
    assert verdicts[-1].wait_s == 2
    assert verdicts[-1].full_s == 6
    assert not limits.take(Limit.API, NAT, now=1.9).allowed
    assert limits.take(Limit.API, NAT, now=2.0).allowed
    assert limits.reading()["requests_refused_by_api_limit"] == 2


def test_addresses_and_limits_do_not_disturb_each_other() -> None:
    limits = RateLimits(RateLimitSettings(api_burst=1))
    assert limits.take(Limit.API, NAT, now=0.0).allowed
    assert limits.take(Limit.API, "203.0.113.8", now=0.0).allowed
    assert limits.take(Limit.JOINS, NAT, now=0.0).allowed
    assert not limits.take(Limit.API, NAT, now=0.0).allowed


def test_memory_is_bounded_and_who_asks_often_is_remembered() -> None:
    limits = RateLimits(RateLimitSettings(api_burst=1, addresses_max=100))
    for number in range(1000):
        limits.take(Limit.API, NAT, now=0.0)
        limits.take(Limit.API, f"address-{number}", now=0.0)
    assert not limits.take(Limit.API, NAT, now=0.0).allowed
    assert limits.reading()["addresses_remembered"] == 100


def test_a_class_of_sixty_behind_one_address_comes_in_within_ten_seconds() -> None:
    """Each loads the page and its 45 files, asks for ICE servers and opens a WebSocket, twice over: two classes."""
    limits = RateLimits(RateLimitSettings())
    dice = random.Random(7)
    starts = sorted(dice.uniform(0, 10) for _ in range(120))
    for start in starts:
        assert all(limits.take(Limit.PAGES, NAT, now=start).allowed for _ in range(45))
        assert all(limits.take(Limit.JOINS, NAT, now=start + 0.1).allowed for _ in range(2))


def test_even_if_all_come_at_the_same_moment() -> None:
    limits = RateLimits(RateLimitSettings())
    assert all(limits.take(Limit.PAGES, NAT, now=0.0).allowed for _ in range(60 * 45))
    assert all(limits.take(Limit.JOINS, NAT, now=0.0).allowed for _ in range(60 * 2))


def test_sixty_with_yesterdays_links_are_told_so_and_a_flood_is_held_back() -> None:
    limits = RateLimits(RateLimitSettings())
    assert all(limits.take(Limit.FAILURES, NAT, now=0.0).allowed for _ in range(60))
    allowed = sum(limits.take(Limit.FAILURES, NAT, now=second).allowed for second in range(60) for _ in range(1000))
    assert allowed <= 120 + 2 * 60


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_burst": 0},
        {"api_burst": 10**7},
        {"joins_per_s": 0.0},
        {"joins_per_s": float("nan")},
        {"failures_per_s": float("inf")},
        {"addresses_max": 0},
    ],
)
def test_limits_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(RateLimitError, match=next(iter(wrong))):
        RateLimitSettings(**wrong)  # type: ignore[arg-type]
