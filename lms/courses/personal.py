"""What courses hold on somebody: that they were in one stays, with grades and attendance."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import update

from lms.courses.tables import EnrolmentStatus, course, course_group, enrolment, group_member
from lms.database.transaction import Transaction
from lms.personal.holding import DELETE, Beside, Holding


async def end_enrolments(transaction: Transaction, user_id: UUID) -> int:
    """Expect somebody in no class any more."""
    done = await transaction.execute(
        update(enrolment)
        .where(
            enrolment.c.org_id == transaction.org_id,
            enrolment.c.user_id == user_id,
            enrolment.c.status == EnrolmentStatus.ACTIVE,
        )
        .values(status=EnrolmentStatus.DROPPED, updated_at=transaction.now)
    )
    return done.rowcount


HOLDINGS: Final = (
    Holding(
        "enrolments", enrolment, by=("user_id",), beside=(Beside("course_id", course, "title"),), erase=end_enrolments
    ),
    Holding("groups", group_member, by=("user_id",), beside=(Beside("group_id", course_group, "name"),), erase=DELETE),
)
