"""Who comes in too often is told to wait; a whole school with one key is not."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import Identity, RoomName
from signaling.join_pace import JoinPace, JoinRates


def grants(identity: str, *, room: str = "algebra", key: str = "school") -> Grants:
    return Grants(RoomName(room), Identity(identity), expires_at=0.0, key_id=key)


def test_300_people_of_one_key_come_in_ten_seconds_and_come_back_at_once() -> None:
    pace = JoinPace(JoinRates())
    for number in range(300):
        pace.check(grants(f"student-{number}"), now=number / 30)
    for number in range(300):
        for _ in range(5):
            pace.check(grants(f"student-{number}"), now=11.0)


def test_one_person_who_comes_again_and_again_is_told_when_to_come() -> None:
    pace = JoinPace(JoinRates(identity_per_s=0.5, identity_burst=3))
    for _ in range(3):
        pace.check(grants("amal"), now=0.0)
    with pytest.raises(RequestError) as error:
        pace.check(grants("amal"), now=0.1)
    assert (error.value.code, error.value.retry_after_s) == (ErrorCode.RATE_LIMITED, 2)
    pace.check(grants("badr"), now=0.1)
    pace.check(grants("amal", room="physics"), now=0.1)
    pace.check(grants("amal"), now=2.1)


def test_one_key_does_not_use_up_what_others_may() -> None:
    pace = JoinPace(JoinRates(key_per_s=1, key_burst=2))
    pace.check(grants("amal"), now=0.0)
    pace.check(grants("badr"), now=0.0)
    with pytest.raises(RequestError, match="tokens of this key"):
        pace.check(grants("chen"), now=0.0)
    pace.check(grants("chen", key="another"), now=0.0)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    pace = JoinPace(JoinRates(identity_per_s=0.001, identity_burst=1, identities_max=2))
    for name in ("amal", "badr", "chen"):
        pace.check(grants(name), now=0.0)
    pace.check(grants("amal"), now=0.0)
    with pytest.raises(RequestError):
        pace.check(grants("chen"), now=0.0)


@pytest.mark.parametrize("wrong", [{"key_per_s": 0}, {"key_burst": 0}, {"identity_per_s": float("nan")}])
def test_a_rate_that_lets_nobody_in_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is "):
        JoinRates(**wrong)
