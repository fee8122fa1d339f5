"""The beginning and end of runs: rows, and what others are told in the same transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from lms.classes.status import ClassStatus
from lms.classes.tables import RunEnd, class_run, live_class
from lms.database.transaction import Transaction
from lms.outbox.send import Outbox


async def start_run(
    transaction: Transaction,
    outbox: Outbox,
    of: Row[Any],
    *,
    run_id: UUID,
    room: str,
    started_by: UUID,
    parent_run_id: UUID | None = None,
) -> None:
    """Note that a class is held from now on; it is locked, and has no run that lasts."""
    await transaction.execute(
        insert(class_run).values(
            org_id=transaction.org_id,
            id=run_id,
            class_id=of.id,
            parent_run_id=parent_run_id,
            room=room,
            started_at=transaction.now,
            started_by=started_by,
        )
    )
    payload = {"class_id": str(of.id), "run_id": str(run_id), "parent_run_id": parent_run_id and str(parent_run_id)}
    await outbox.send(transaction, "class.started", key=str(of.id), payload=payload)


async def end_run(
    transaction: Transaction, outbox: Outbox, run: Row[Any], reason: RunEnd, *, ended_by: UUID | None = None
) -> bool:
    """End a run and its breakouts; return whether it was this call that ended it. The first end counts."""
    done = await transaction.execute(
        update(class_run)
        .where(class_run.c.org_id == transaction.org_id, class_run.c.id == run.id, class_run.c.ended_at.is_(None))
        .values(ended_at=_not_before(run.started_at, transaction.now), ended_by=ended_by, end_reason=reason)
    )
    if done.rowcount == 0:
        return False
    await transaction.execute(
        update(live_class)
        .where(
            live_class.c.org_id == transaction.org_id,
            live_class.c.id == run.class_id,
            live_class.c.status == ClassStatus.LIVE,
        )
        .values(status=ClassStatus.ENDED, locked=False, version=live_class.c.version + 1, updated_at=transaction.now)
    )
    payload = {"class_id": str(run.class_id), "run_id": str(run.id), "reason": reason.value}
    await outbox.send(transaction, "class.ended", key=str(run.class_id), payload=payload)
    await outbox.send(transaction, "class.room.end", key=run.room, payload={"room": run.room})
    breakouts = await transaction.rows(
        select(class_run).where(
            class_run.c.org_id == transaction.org_id,
            class_run.c.parent_run_id == run.id,
            class_run.c.ended_at.is_(None),
        )
    )
    for breakout in breakouts:
        await end_run(transaction, outbox, breakout, RunEnd.PARENT_ENDED, ended_by=ended_by)
    return True


def _not_before(started_at: Any, now: Any) -> Any:
    """A clock that was set back must not make a run end before it began."""
    return max(started_at, now)
