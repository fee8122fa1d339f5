"""Token buckets, and which language a request is answered in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.api.languages import Language, choose_language
from lms.api.rate_limits import RateLimits, RateLimitSettings


def test_five_logins_a_minute_and_then_one_in_twelve_seconds() -> None:
    limits = RateLimits(RateLimitSettings())
    assert [limits.take("login", "a", now=0.0) for _ in range(7)] == [0, 0, 0, 0, 0, 12, 12]
    assert limits.take("login", "b", now=0.0) == 0
    assert limits.take("login", "a", now=11.9) == 1
    assert limits.take("login", "a", now=12.1) == 0
    assert limits.refused == {"login": 3}


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_never_more_than_the_rate(pauses: list[float]) -> None:
    limits, now, taken = RateLimits(RateLimitSettings()), 0.0, 0
    for pause in pauses:
        now += pause
        taken += limits.take("login", "a", now=now) == 0
    assert taken <= 5 + now * 5 / 60 + 1e-6


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("ar", "ar"),
        ("ar-SA,ar;q=0.9,en;q=0.8", "ar"),
        ("fr, en;q=0.2, ar;q=0.7", "ar"),
        ("de", "en"),
        ("en;q=x,ar;q=0.1", "ar"),
        (",;;q=,*", "en"),
        ("ar;q=nan", "en"),
    ],
)
def test_languages(header: str | None, language: str) -> None:
    assert choose_language(header) is Language(language)
