"""Who reads, writes and keeps order in which room: the whole table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lms.access.roles import Role, permissions_of
from lms.chat.export import write_csv
from lms.chat.messages import Message
from lms.chat.rules import (
    EDITED_WITHIN_S,
    Acquaintance,
    Hold,
    Obstacle,
    RoomKind,
    Standing,
    may_delete,
    may_edit,
    may_hold,
    may_pin,
    may_write_to,
    obstacle_to_writing,
    standing_among_staff,
    standing_in_course,
    standing_in_group,
    standing_in_run,
    standing_of_two,
)
from lms.chat.tables import MessageKind
from lms.classes.rules import Seat
from lms.courses.rules import CourseRole, CourseStatus
from lms.ids import Ids

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
NOTHING, READ, WRITE, MODERATE = Standing
STUDENT, TEACHER, MANAGER = (permissions_of([role]) for role in (Role.STUDENT, Role.TEACHER, Role.MANAGER))
OBSERVER, SERVICE = permissions_of([Role.OBSERVER]), permissions_of([Role.SERVICE])
STRANGER = Acquaintance()


@pytest.mark.parametrize(
    ("permissions", "ties", "status", "standing"),
    [
        (STUDENT, {CourseRole.STUDENT}, CourseStatus.PUBLISHED, WRITE),
        (STUDENT, {CourseRole.STUDENT}, CourseStatus.ARCHIVED, WRITE),  # which is over: see `obstacle_to_writing`
        (STUDENT, {CourseRole.STUDENT}, CourseStatus.DRAFT, NOTHING),
        (STUDENT, set(), CourseStatus.PUBLISHED, NOTHING),
        (STUDENT, {CourseRole.TA}, CourseStatus.PUBLISHED, MODERATE),
        (TEACHER, {CourseRole.TEACHER}, CourseStatus.DRAFT, MODERATE),
        (TEACHER, set(), CourseStatus.PUBLISHED, NOTHING),
        (MANAGER, set(), CourseStatus.PUBLISHED, MODERATE),
        (OBSERVER, {CourseRole.OBSERVER}, CourseStatus.PUBLISHED, NOTHING),
        (SERVICE, {CourseRole.TEACHER}, CourseStatus.PUBLISHED, NOTHING),
    ],
)
def test_standing_in_a_course(
    permissions: frozenset[object], ties: set[CourseRole], status: CourseStatus, standing: Standing
) -> None:
    assert standing_in_course(permissions, frozenset(ties), status) is standing  # type: ignore[arg-type]


def test_standing_elsewhere() -> None:
    student, published = frozenset({CourseRole.STUDENT}), CourseStatus.PUBLISHED
    assert standing_in_group(STUDENT, student, published, in_group=True) is WRITE
    assert standing_in_group(STUDENT, student, published, in_group=False) is NOTHING
    assert standing_in_group(TEACHER, frozenset({CourseRole.TEACHER}), published, in_group=False) is MODERATE
    seats = {Seat.TEACHER: MODERATE, Seat.ASSISTANT: MODERATE, Seat.STUDENT: WRITE, Seat.OBSERVER: READ, None: NOTHING}
    assert {seat: standing_in_run(STUDENT, seat) for seat in seats} == seats
    assert standing_in_run(MANAGER, None) is MODERATE
    assert [standing_among_staff(each) for each in (STUDENT, TEACHER, MANAGER)] == [NOTHING, WRITE, MODERATE]
    assert [standing_of_two(MANAGER, is_one_of_them=each) for each in (True, False)] == [WRITE, NOTHING]


@pytest.mark.parametrize(
    ("own", "other", "known", "allowed"),
    [
        (STUDENT, STUDENT, STRANGER, False),
        (STUDENT, STUDENT, Acquaintance(classmates=True), True),
        (STUDENT, TEACHER, STRANGER, False),
        (STUDENT, TEACHER, Acquaintance(taught_by_other=True), True),
        (STUDENT, MANAGER, STRANGER, True),
        (TEACHER, STUDENT, STRANGER, False),
        (TEACHER, STUDENT, Acquaintance(teaches_other=True), True),
        (TEACHER, TEACHER, STRANGER, True),
        (MANAGER, OBSERVER, STRANGER, True),
        (OBSERVER, TEACHER, Acquaintance(taught_by_other=True), True),
        (OBSERVER, STUDENT, STRANGER, False),
        (STUDENT, SERVICE, STRANGER, False),
    ],
)
def test_who_may_begin_to_write_to_whom(
    own: frozenset[object], other: frozenset[object], known: Acquaintance, allowed: bool
) -> None:
    assert may_write_to(own, other, known, students_may_message=True) is allowed  # type: ignore[arg-type]


def test_a_school_may_keep_students_from_writing_to_each_other() -> None:
    classmates = Acquaintance(classmates=True)
    assert not may_write_to(STUDENT, STUDENT, classmates, students_may_message=False)
    assert may_write_to(STUDENT, TEACHER, Acquaintance(taught_by_other=True), students_may_message=False)


def test_why_somebody_cannot_write_now() -> None:
    def why(standing: Standing, hold: Hold, *, locked: bool = False, over: bool = False) -> Obstacle | None:
        return obstacle_to_writing(standing, hold, locked=locked, over=over, now=NOW)

    assert why(WRITE, Hold()) is None
    assert why(WRITE, Hold(muted_until=NOW)) is None
    assert why(WRITE, Hold(muted_until=NOW + timedelta(seconds=1))) is Obstacle.MUTED
    assert why(WRITE, Hold(banned=True)) is Obstacle.BANNED
    assert why(WRITE, Hold(), locked=True) is Obstacle.LOCKED
    assert why(MODERATE, Hold(), locked=True) is None
    assert why(MODERATE, Hold(), over=True) is Obstacle.OVER


def test_who_may_do_what_to_whom() -> None:
    course, direct = RoomKind.COURSE, RoomKind.DIRECT
    assert may_hold(TEACHER, STUDENT, course, MODERATE, WRITE)
    assert not may_hold(STUDENT, TEACHER, course, WRITE, MODERATE)
    assert not may_hold(TEACHER, TEACHER, course, MODERATE, MODERATE)
    assert may_hold(MANAGER, TEACHER, course, MODERATE, MODERATE)
    assert not may_hold(MANAGER, MANAGER, course, MODERATE, MODERATE)
    assert may_hold(STUDENT, TEACHER, direct, WRITE, WRITE)
    assert may_edit(is_author=True, age_s=EDITED_WITHIN_S)
    assert not may_edit(is_author=True, age_s=EDITED_WITHIN_S + 1)
    assert not may_edit(is_author=False, age_s=0)
    assert [may_delete(each, course, is_author=False) for each in Standing] == [False, False, False, True]
    assert not may_delete(WRITE, direct, is_author=False)
    assert [may_pin(each, course) for each in Standing] == [False, False, False, True]
    assert may_pin(WRITE, direct)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "'=1", "\t=1", "＝1", "\r=1"])
def test_no_text_of_a_file_is_a_formula(text: str) -> None:
    new = Ids().new
    message = Message(
        id=new(), room_id=new(), seq=1, change=1, kind=MessageKind.TEXT, sender_id=new(), sender_name=text, body=text,
        reply_to=None, client_id=None, client_at=None, created_at=NOW, edits=0, edited_at=None, deleted_at=None,
        deleted_by=None, pinned_at=None, pinned_by=None, reactions=(),
    )  # fmt: skip
    line = write_csv([message]).decode("utf-8-sig").split("\r\n", 1)[1]
    assert line.count(f"'{text}") == 2
