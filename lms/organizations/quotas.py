"""What an organization may use, what it uses, and the refusal where it would be more.

Each is checked where the thing is made, in the transaction that makes it; the organization's row is locked meanwhile,
so that two at once do not both get the last place.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Select, func, select

from lms.api.phrases import Phrase
from lms.api.problems import QUOTA_EXCEEDED, ProblemError
from lms.classes.tables import RecordingState, class_run, recording, recording_format
from lms.database.prepared import prepared
from lms.database.transaction import Transaction
from lms.organizations.messages import Quota, Usage
from lms.organizations.tables import organization
from lms.people.tables import app_user

SECONDS_OF_HOUR: Final = 3600

_NAMES: Final = {
    "max_users": Phrase("people", "الأشخاص"),
    "max_rooms": Phrase("live classes at the same time", "الحصص المنعقدة في وقت واحد"),
    "max_participants": Phrase("people in a class", "المشاركين في الحصة"),
}


async def read_quota(transaction: Transaction) -> Quota:
    """Return what the transaction's organization may use; who writes holds its row until the end."""
    kept = await transaction.value(_quota(transaction.org_id, locked=transaction.writes))
    return msgspec.convert(kept or {}, Quota)


@prepared
def _quota(org_id: Any, *, locked: bool) -> Select[Any]:
    statement = select(organization.c.quota).where(organization.c.id == org_id)
    return statement.with_for_update(key_share=True) if locked else statement


def ask_quota_ahead(transaction: Transaction) -> None:
    """Have the quota be asked for with whatever is asked next, of who does not write."""
    transaction.ahead(_quota(transaction.org_id, locked=False))


async def read_usage(transaction: Transaction) -> Usage:
    """Return what the organization uses now."""
    return Usage(
        users=await _users(transaction),
        rooms=await _rooms(transaction),
        storage_bytes=await _storage_bytes(transaction),
        recording_hours=await _recording_hours(transaction),
    )


async def check_people(transaction: Transaction, more: int = 1) -> None:
    """Raise ProblemError (`quota_exceeded`) if the organization may not have so many more people."""
    most = (await read_quota(transaction)).max_users
    if most is not None and await _users(transaction) + more > most:
        raise _exceeded("max_users", most)


async def check_rooms(transaction: Transaction) -> None:
    """Raise ProblemError (`quota_exceeded`) if no further live class may be held now; breakouts are not counted."""
    most = (await read_quota(transaction)).max_rooms
    if most is not None and await _rooms(transaction) >= most:
        raise _exceeded("max_rooms", most)


async def check_participants(transaction: Transaction, participants_max: int | None) -> None:
    """Raise ProblemError (`quota_exceeded`) if no class may have so many in it at the same time."""
    if participants_max is None:
        return
    most = (await read_quota(transaction)).max_participants
    if most is not None and participants_max > most:
        raise _exceeded("max_participants", most)


async def seats_within(transaction: Transaction, participants_max: int) -> int:
    """Return how many may be in a class at the same time, of those that it is to hold."""
    most = (await read_quota(transaction)).max_participants
    return participants_max if most is None else min(participants_max, most)


async def recording_refused(transaction: Transaction) -> str | None:
    """Return which quota keeps the organization from recording more; None if none does."""
    quota = await read_quota(transaction)
    if quota.storage_bytes is not None and await _storage_bytes(transaction) >= quota.storage_bytes:
        return "storage_bytes"
    if quota.recording_hours is not None and await _recording_hours(transaction) >= quota.recording_hours:
        return "recording_hours"
    return None


def _exceeded(what: str, most: int) -> ProblemError:
    return ProblemError(QUOTA_EXCEEDED, field=what, value=most, rule="quota", what=_NAMES[what])


async def _users(transaction: Transaction) -> int:
    return await _count(
        transaction,
        select(func.count())
        .select_from(app_user)
        .where(app_user.c.org_id == transaction.org_id, app_user.c.deleted_at.is_(None)),
    )


async def _rooms(transaction: Transaction) -> int:
    return await _count(
        transaction,
        select(func.count())
        .select_from(class_run)
        .where(
            class_run.c.org_id == transaction.org_id,
            class_run.c.ended_at.is_(None),
            class_run.c.parent_run_id.is_(None),
        ),
    )


async def _storage_bytes(transaction: Transaction) -> int:
    kept = (recording.c.org_id == transaction.org_id, recording.c.state != RecordingState.DELETED)
    raw = await _count(transaction, select(func.sum(recording.c.raw_bytes)).where(*kept))
    made = await _count(
        transaction,
        select(func.sum(recording_format.c.bytes))
        .join(
            recording,
            (recording.c.org_id == recording_format.c.org_id) & (recording.c.id == recording_format.c.recording_id),
        )
        .where(*kept),
    )
    return raw + made


async def _recording_hours(transaction: Transaction) -> int:
    """Whole hours of recordings that are kept; what is being recorded counts once it has ended."""
    rows = await transaction.rows(
        select(recording.c.started_at, recording.c.ended_at).where(
            recording.c.org_id == transaction.org_id,
            recording.c.state != RecordingState.DELETED,
            recording.c.ended_at.is_not(None),
        )
    )
    return int(sum((row.ended_at - row.started_at).total_seconds() for row in rows) // SECONDS_OF_HOUR)


async def _count(transaction: Transaction, statement: Any) -> int:
    return int(await transaction.value(statement) or 0)
