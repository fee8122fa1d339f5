"""Classes that are made up: told as a media server tells them, and worth what attendance makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from control_api.contract import ParticipantJoined, ParticipantLeft, RoomEnded, RoomStarted
from lms.attendance.facts import SECOND_US, fact_of, microseconds
from lms.attendance.intervals import Place
from lms.attendance.outcome import Status
from lms.attendance.policy import Policy
from lms.attendance.sheet import Roster, Run, fill_sheet
from lms.attendance.spans import Span
from lms.demo.lesson import Conduct, Feed, Lesson, Member, play_lesson

NINE = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
LASTS_S = 3600.0
TEACHER = Member(UUID(int=99), "Sarah", role="teacher")
MEMBERS = [Member(UUID(int=number), f"Student {number}", diligence=0.75) for number in range(1, 41)]
EXPECTED = {
    Conduct.STEADY: Status.PRESENT,
    Conduct.RECONNECTED: Status.PRESENT,
    Conduct.TWO_DEVICES: Status.PRESENT,
    Conduct.LATE: Status.LATE,
    Conduct.LEFT_EARLY: Status.LEFT_EARLY,
    Conduct.BRIEF: Status.PARTIAL,
    Conduct.ABSENT: Status.ABSENT,
}


def play(seed: int) -> Lesson:
    return play_lesson(Random(seed), "demo.1", TEACHER, MEMBERS, lasts_s=LASTS_S, guest="Visitor")


@pytest.mark.parametrize("seed", range(5))
def test_whoever_comes_goes_within_the_class(seed: int) -> None:
    lesson = play(seed)
    assert isinstance(lesson.events[0][1], RoomStarted)
    assert isinstance(lesson.events[-1][1], RoomEnded)
    joined: dict[str, float] = {}
    for at_s, event in lesson.events:
        assert 0 <= at_s <= LASTS_S
        match event:
            case ParticipantJoined(participant=participant):
                joined[participant] = at_s
            case ParticipantLeft(participant=participant):
                assert joined.pop(participant) < at_s
            case _:
                pass
    assert not joined


@pytest.mark.parametrize("seed", range(5))
def test_attendance_finds_what_was_made_up(seed: int) -> None:
    lesson = play(seed)
    told = Feed("00" * 16, NINE - timedelta(days=1)).tell(NINE, lesson.events)
    assert [each.seq for each in told] == list(range(1, len(told) + 1))
    facts = [fact for each in told if (fact := fact_of(each)) is not None]
    start_us = microseconds(NINE)
    end_us = start_us + round(LASTS_S) * SECOND_US
    run = Run(start_us, end_us, Span(start_us, end_us), {"demo.1": Place.MAIN})
    expected = {str(member.user_id) for member in MEMBERS}
    phones = {f"{user_id}/phone": user_id for user_id in expected}
    roster = Roster(expected=expected, identities={**phones, **{each: each for each in expected}})
    sheet = fill_sheet(facts, run, roster, Policy(), now_us=end_us + 60 * SECOND_US)
    found = {UUID(row.identity): row.status for row in sheet.members}
    assert all(found[user_id] is EXPECTED[conduct] for user_id, conduct in lesson.conduct.items())
    assert {row.identity for row in sheet.others} == {str(TEACHER.user_id), "guest-1"}
    assert set(lesson.conduct.values()) >= {Conduct.STEADY, Conduct.LATE, Conduct.ABSENT}
