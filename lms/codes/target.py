"""What a code opens: found and allowed for whoever makes codes, and opened for whoever redeems one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects import postgresql, sqlite

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.api.phrases import Phrase
from lms.api.problems import FORBIDDEN, ProblemError, bad_field, not_found
from lms.classes.invitations import invite
from lms.classes.problems import THE_LIVE_CLASS, THE_RECORDING
from lms.classes.rules import may_change_recording, may_run
from lms.classes.status import ClassStatus
from lms.classes.store import class_ties, find_class
from lms.classes.tables import class_run, recording, recording_grant
from lms.codes.code import CodeScope
from lms.codes.messages import Opens
from lms.courses.access import course_to_change
from lms.courses.enrol import Terms, enrol
from lms.courses.groups import add_member
from lms.courses.rules import CourseRole, CourseStatus, may_write_codes
from lms.courses.store import find_group, lock_course
from lms.courses.tables import EnrolmentSource
from lms.database.transaction import Transaction
from lms.ids import Ids


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that codes open."""

    scope: CodeScope
    id: UUID
    column: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code opened to somebody."""

    title: str
    new: bool
    """Whether it was closed to them before."""


def target_of(opens: Opens) -> Target:
    """Return what is meant; raises ProblemError unless it is exactly one thing."""
    given = [
        Target(scope, value, f"{scope.value}_id")
        for scope in CodeScope
        if (value := getattr(opens, f"{scope.value}_id")) is not None
    ]
    if len(given) != 1:
        raise bad_field(
            "course_id",
            None,
            Phrase("one of course_id, class_id and recording_id", "واحد من course_id و class_id و recording_id"),
            "one_of",
        )
    if opens.group_id is not None and opens.course_id is None:
        raise bad_field(
            "group_id", str(opens.group_id), Phrase("a group together with its course", "مجموعة مع مقررها"), "reference"
        )
    return given[0]


async def check_maker(transaction: Transaction, caller: Caller, target: Target, group_id: UUID | None = None) -> None:
    """Raise ProblemError unless the caller may make and see codes for something."""
    match target.scope:
        case CodeScope.COURSE:
            await course_to_change(transaction, caller, target.id, may_write_codes, archived_too=True, lock=False)
            if group_id is not None and await find_group(transaction, target.id, group_id) is None:
                raise bad_field(
                    "group_id", str(group_id), Phrase("a group of the course", "مجموعة من المقرر"), "reference"
                )
        case CodeScope.CLASS:
            await _check_class(transaction, caller, target.id, THE_LIVE_CLASS)
        case CodeScope.RECORDING:
            row = await _recording(transaction, target.id)
            if row is None:
                raise not_found(THE_RECORDING)
            await _check_class(transaction, caller, row.class_id, THE_RECORDING)


async def open_for(transaction: Transaction, ids: Ids, user_id: UUID, code: Row[Any]) -> Opened | None:
    """Open what a code is for to somebody; None if that cannot be opened any more. Raises ProblemError when full."""
    scope: CodeScope = code.scope
    match scope:
        case CodeScope.COURSE:
            course = await lock_course(transaction, code.course_id)
            if course is None or course.status is not CourseStatus.PUBLISHED:
                return None
            terms = Terms(CourseRole.STUDENT, EnrolmentSource.CODE, access_code_id=code.id)
            new = await enrol(transaction, ids, course, [user_id], terms)
            if code.group_id is not None:
                await add_member(transaction, code.group_id, user_id)
            return Opened(course.title, bool(new))
        case CodeScope.CLASS:
            held = await find_class(transaction, code.class_id)
            if held is None or held.status not in {ClassStatus.SCHEDULED, ClassStatus.LIVE}:
                return None
            return Opened(held.title, bool(await invite(transaction, held.id, [user_id], access_code_id=code.id)))
        case CodeScope.RECORDING:
            row = await _recording(transaction, code.recording_id)
            if row is None:
                return None
            return Opened(row.name, await _grant(transaction, row.id, user_id, code.id))


async def _check_class(transaction: Transaction, caller: Caller, class_id: UUID, what: Phrase) -> None:
    row = await find_class(transaction, class_id)
    if row is None:
        raise not_found(what)
    ties = (await class_ties(transaction, caller.user_id, [row]))[row.id]
    allowed = may_run if what is THE_LIVE_CLASS else may_change_recording
    if not allowed(permissions_of(caller.roles), ties):
        raise ProblemError(FORBIDDEN, rule="own_class") if ties.course or ties.is_invited else not_found(what)


async def _recording(transaction: Transaction, recording_id: UUID) -> Row[Any] | None:
    return await transaction.first(
        select(recording.c.id, recording.c.name, class_run.c.class_id)
        .join(class_run, (class_run.c.org_id == recording.c.org_id) & (class_run.c.id == recording.c.run_id))
        .where(
            recording.c.org_id == transaction.org_id,
            recording.c.id == recording_id,
            recording.c.deleted_at.is_(None),
        )
    )


async def _grant(transaction: Transaction, recording_id: UUID, user_id: UUID, code_id: UUID) -> bool:
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    values = {
        "org_id": transaction.org_id,
        "recording_id": recording_id,
        "user_id": user_id,
        "access_code_id": code_id,
        "created_at": transaction.now,
    }
    statement = upsert(recording_grant).values(values).on_conflict_do_nothing().returning(recording_grant.c.user_id)
    return await transaction.first(statement) is not None
