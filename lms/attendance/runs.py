"""What attendance needs to know of a run: when it was planned and held, its breakouts, and who was expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, select

from lms.attendance.facts import microseconds
from lms.attendance.spans import Span
from lms.classes.tables import InviteStatus, class_invite, class_run, live_class
from lms.courses.rules import CourseRole
from lms.courses.store import counts
from lms.courses.tables import enrolment, group_member
from lms.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run of a class that is no breakout."""

    run_id: UUID
    class_id: UUID
    course_id: UUID | None
    group_id: UUID | None
    title: str
    started_at: datetime
    ended_at: datetime | None
    starts_at: datetime
    ends_at: datetime
    host_id: UUID
    policy_id: UUID | None
    """Rules of this class alone."""
    invited_only: bool
    """Whether students of the course need an invitation, too."""
    breakouts: frozenset[UUID]
    """The runs of its breakout rooms."""

    @property
    def scheduled(self) -> Span:
        """The plan, as wall time in microseconds."""
        return Span(microseconds(self.starts_at), microseconds(self.ends_at))


_COLUMNS: Final = (
    class_run.c.id,
    class_run.c.class_id,
    class_run.c.parent_run_id,
    class_run.c.started_at,
    class_run.c.ended_at,
    live_class.c.course_id,
    live_class.c.group_id,
    live_class.c.host_id,
    live_class.c.policy_id,
    live_class.c.invited_only,
    live_class.c.title,
    live_class.c.starts_at,
    live_class.c.ends_at,
)


async def find_run(transaction: Transaction, run_id: UUID) -> HeldRun | None:
    """Return a run; that of a breakout stands for the class that it belongs to. None if there is none."""
    org_id = transaction.org_id
    statement = _runs().where(class_run.c.org_id == org_id, class_run.c.id == run_id)
    row = await transaction.first(statement)
    if row is not None and row.parent_run_id is not None:
        row = await transaction.first(_runs().where(class_run.c.org_id == org_id, class_run.c.id == row.parent_run_id))
    return None if row is None else await _held(transaction, row)


async def newest_run(transaction: Transaction, class_id: UUID) -> HeldRun | None:
    """Return the run of a class that lasts, or was the last; None if it was never held."""
    row = await transaction.first(
        _runs()
        .where(class_run.c.org_id == transaction.org_id, class_run.c.class_id == class_id)
        .where(class_run.c.parent_run_id.is_(None))
        .order_by(class_run.c.started_at.desc(), class_run.c.id.desc())
        .limit(1)
    )
    return None if row is None else await _held(transaction, row)


async def expected_of(transaction: Transaction, run: HeldRun) -> set[UUID]:
    """Return who was expected when a run began: the students of its course (and group), and who was invited."""
    expected: set[UUID] = set()
    if run.course_id is not None and not run.invited_only:
        students = select(enrolment.c.user_id).where(
            enrolment.c.org_id == transaction.org_id,
            enrolment.c.course_id == run.course_id,
            enrolment.c.role == CourseRole.STUDENT,
            enrolment.c.created_at <= run.started_at,
            counts(run.started_at),
        )
        if run.group_id is not None:
            members = select(group_member.c.user_id).where(
                group_member.c.org_id == transaction.org_id, group_member.c.group_id == run.group_id
            )
            students = students.where(enrolment.c.user_id.in_(members))
        expected |= {row.user_id for row in await transaction.rows(students)}
    invited = select(class_invite.c.user_id).where(
        class_invite.c.org_id == transaction.org_id,
        class_invite.c.class_id == run.class_id,
        class_invite.c.status != InviteStatus.DECLINED,
        class_invite.c.user_id != run.host_id,
    )
    return expected | {row.user_id for row in await transaction.rows(invited)}


def _runs() -> Select[Any]:
    return select(*_COLUMNS).join(
        live_class, (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id)
    )


async def _held(transaction: Transaction, row: Row[Any]) -> HeldRun:
    children = select(class_run.c.id).where(
        class_run.c.org_id == transaction.org_id, class_run.c.parent_run_id == row.id
    )
    return HeldRun(
        run_id=row.id,
        class_id=row.class_id,
        course_id=row.course_id,
        group_id=row.group_id,
        title=row.title,
        started_at=row.started_at,
        ended_at=row.ended_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        host_id=row.host_id,
        policy_id=row.policy_id,
        invited_only=row.invited_only,
        breakouts=frozenset(child.id for child in await transaction.rows(children)),
    )
