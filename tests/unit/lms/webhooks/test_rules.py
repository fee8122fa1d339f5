"""When receivers are tried again, what is given up, which keys sign, and which addresses may be receivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from lms.webhooks.rules import JITTER, RETRY_FIRST, RETRY_MAX, fault_of_url, is_dead, key_of, live_keys, retry_pause

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WEBHOOK = UUID(int=5)


def test_pauses_double_up_to_five_minutes() -> None:
    pauses = [retry_pause(failures, 0.5) for failures in range(1, 30)]
    assert pauses[:3] == [RETRY_FIRST, 2 * RETRY_FIRST, 4 * RETRY_FIRST]
    assert pauses[-1] == RETRY_MAX
    assert retry_pause(50, 0.0) == RETRY_MAX * (1 - JITTER)


def test_nothing_is_given_up_within_a_day_or_before_its_receiver_failed_for_an_hour() -> None:
    assert not is_dead(NOW - timedelta(hours=23), NOW - DAY, NOW, DAY)
    assert not is_dead(NOW - 3 * DAY, NOW - timedelta(minutes=59), NOW, DAY)  # we were away, not they
    assert is_dead(NOW - DAY, NOW - timedelta(hours=1), NOW, DAY)


def test_two_keys_are_live_while_they_overlap() -> None:
    old, new = key_of("s", WEBHOOK, 1), key_of("s", WEBHOOK, 2)
    assert live_keys(["s"], WEBHOOK, 2, NOW + DAY, NOW) == [new, old]
    assert live_keys(["s"], WEBHOOK, 2, NOW, NOW) == [new]
    assert len({old, new, key_of("t", WEBHOOK, 1), key_of("s", UUID(int=6), 1)}) == 4


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",
        "ftp://example.org",
        "https://",
        "https://user:word@example.org",
        "https://example.org/#part",
        "https://exa mple.org",
        "https://[::1",
        "https://example.org:99999",
        "javascript:alert(1)",
    ],
)
def test_what_cannot_be_a_receiver(url: str) -> None:
    assert fault_of_url(url, allow_plain_http=False) is not None


def test_what_can() -> None:
    assert fault_of_url("https://example.org:8443/a?b=c", allow_plain_http=False) is None
    assert fault_of_url("http://10.0.0.1", allow_plain_http=True) is None
