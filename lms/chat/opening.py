"""Rooms come to be when somebody first asks for them: of what there is, for whom they are."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select

from lms.access.roles import permissions_of
from lms.access.standing import read_standing
from lms.api.caller import Caller
from lms.api.phrases import Phrase
from lms.api.problems import FORBIDDEN, ProblemError, bad_field, not_found
from lms.chat.access import RoomFor, room_for
from lms.chat.rules import Acquaintance, RoomKind, may_write_to
from lms.chat.store import ask_room_of_ahead, find_room_of, find_room_of_two, insert_room
from lms.classes.problems import THE_LIVE_CLASS
from lms.classes.store import live_run
from lms.classes.tables import class_run, live_class
from lms.courses.problems import THE_COURSE, THE_GROUP
from lms.courses.rules import CourseRole
from lms.courses.store import ask_course_ahead, ask_ties_ahead, find_course, ties_statement
from lms.courses.tables import course_group
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.organizations.tables import organization
from lms.people.problems import THE_USER

_TEACHING = (CourseRole.TEACHER, CourseRole.TA)

_KINDS: Final = {
    RoomKind.RUN: THE_LIVE_CLASS,
    RoomKind.COURSE: THE_COURSE,
    RoomKind.GROUP: THE_GROUP,
    RoomKind.STAFF: Phrase("room of the staff", "غرفة الموظفين"),
    RoomKind.DIRECT: THE_USER,
}
"""Of what there is none where a room of this kind cannot be had."""


async def open_room(transaction: Transaction, caller: Caller, ids: Ids, kind: RoomKind, of: UUID | None) -> RoomFor:
    """Return a room for the caller, made if need be; raises ProblemError (`not_found`, `forbidden`, `bad_field`)."""
    if kind is RoomKind.DIRECT:
        return await _open_of_two(transaction, caller, ids, _needed(of))
    ref_id, course_id = await _reference(transaction, caller, kind, of)
    row = await find_room_of(transaction, kind, ref_id)
    if row is None:
        await insert_room(transaction, ids.new(), {"kind": kind, "ref_id": ref_id, "course_id": course_id})
        row = await find_room_of(transaction, kind, ref_id)
    return await _for_caller(transaction, caller, row, _KINDS[kind])


async def _open_of_two(transaction: Transaction, caller: Caller, ids: Ids, other_id: UUID) -> RoomFor:
    if other_id == caller.user_id:
        raise bad_field("of", str(other_id), Phrase("somebody else", "شخص آخر"), "other")
    row = await find_room_of_two(transaction, caller.user_id, other_id)
    if row is None:
        await _check_may_begin(transaction, caller, other_id)
        low, high = sorted((caller.user_id, other_id))
        values = {"kind": RoomKind.DIRECT, "direct_low": low, "direct_high": high}
        await insert_room(transaction, ids.new(), values)
        row = await find_room_of_two(transaction, caller.user_id, other_id)
    return await _for_caller(transaction, caller, row, THE_USER)


async def _check_may_begin(transaction: Transaction, caller: Caller, other_id: UUID) -> None:
    other = await read_standing(transaction, other_id)
    if other is None or not other.active:
        raise not_found(THE_USER)
    settings = await transaction.value(select(organization.c.settings).where(organization.c.id == transaction.org_id))
    allowed = may_write_to(
        permissions_of(caller.roles),
        permissions_of(other.roles),
        await _acquaintance(transaction, caller.user_id, other_id),
        students_may_message=bool((settings or {}).get("students_may_message", True)),
    )
    if not allowed:
        raise ProblemError(FORBIDDEN, field="of", value=str(other_id), rule="acquaintance")


async def _acquaintance(transaction: Transaction, own_id: UUID, other_id: UUID) -> Acquaintance:
    """Return what ties two people: of everything that each is in courses now."""
    own = {(row.course_id, row.role) for row in await transaction.rows(ties_statement(transaction, own_id))}
    other = {(row.course_id, row.role) for row in await transaction.rows(ties_statement(transaction, other_id))}
    own_taught = {course_id for course_id, role in own if role in _TEACHING}
    other_taught = {course_id for course_id, role in other if role in _TEACHING}
    studied = {course_id for course_id, role in own if role is CourseRole.STUDENT}
    return Acquaintance(
        taught_by_other=bool(other_taught & {course_id for course_id, _ in own}),
        teaches_other=bool(own_taught & {course_id for course_id, _ in other}),
        classmates=any(role is CourseRole.STUDENT and course_id in studied for course_id, role in other),
    )


async def _reference(
    transaction: Transaction, caller: Caller, kind: RoomKind, of: UUID | None
) -> tuple[UUID, UUID | None]:
    """Return what a room is of, and the course that this belongs to; raises ProblemError (`not_found`)."""
    match kind:
        case RoomKind.STAFF:
            if of is not None:
                raise bad_field(
                    "of",
                    str(of),
                    Phrase("nothing: a school has one room of its staff", "لا شيء: للمدرسة غرفة واحدة لموظفيها"),
                    "unknown",
                )
            return transaction.org_id, None
        case RoomKind.COURSE:
            ask_room_of_ahead(transaction, kind, _needed(of))
            ask_course_ahead(transaction, _needed(of))
            ask_ties_ahead(transaction, caller.user_id)
            if await find_course(transaction, _needed(of)) is not None:
                return _needed(of), of
        case RoomKind.GROUP:
            group = await transaction.first(
                select(course_group.c.course_id).where(
                    course_group.c.org_id == transaction.org_id, course_group.c.id == _needed(of)
                )
            )
            if group is not None:
                return _needed(of), group.course_id
        case _:
            run = await _find_run(transaction, _needed(of))
            if run is not None:
                return run.id, run.course_id
    raise not_found(_KINDS[kind])


async def _find_run(transaction: Transaction, of: UUID) -> Row[Any] | None:
    """Return a run by its id, or the one that lasts of a live class."""
    lasting = await live_run(transaction, of)
    run_id = of if lasting is None else lasting.id
    return await transaction.first(
        select(class_run.c.id, live_class.c.course_id)
        .join(live_class, (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id))
        .where(class_run.c.org_id == transaction.org_id, class_run.c.id == run_id)
    )


async def _for_caller(transaction: Transaction, caller: Caller, row: Row[Any] | None, what: Phrase) -> RoomFor:
    assert row is not None, "it is there, or was made just now"
    found = await room_for(transaction, row, caller.user_id, permissions_of(caller.roles))
    if found is None:
        raise not_found(what)  # the transaction is undone: nothing was made
    return found


def _needed(of: UUID | None) -> UUID:
    if of is None:
        raise bad_field("of", None, Phrase("an id", "معرّف"), "required")
    return of
