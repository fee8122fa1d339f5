"""What chat holds on people, for archives and erasures."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select, update

from lms.chat.tables import chat_member, chat_message, chat_reaction, chat_report, chat_revision, chat_room
from lms.chat.writing import count
from lms.database.transaction import Transaction
from lms.personal.holding import DELETE, Holding, Keep


async def _empty_messages(transaction: Transaction, user_id: UUID) -> int:
    """Take the texts of somebody's messages; their places stay, and each is a change like every deletion."""
    own = (
        chat_message.c.org_id == transaction.org_id,
        chat_message.c.sender_id == user_id,
        chat_message.c.deleted_at.is_(None),
    )
    rows = await transaction.rows(
        select(chat_message.c.room_id, chat_message.c.seq).where(*own).order_by(chat_message.c.room_id)
    )
    await transaction.execute(
        delete(chat_reaction).where(
            chat_reaction.c.org_id == transaction.org_id, chat_reaction.c.message_id.in_(_messages_of(user_id))
        )
    )
    for row in rows:
        counted = await count(transaction, row.room_id)
        await transaction.execute(
            update(chat_message)
            .where(
                chat_message.c.org_id == transaction.org_id,
                chat_message.c.room_id == row.room_id,
                chat_message.c.seq == row.seq,
            )
            .values(
                body="",
                search_key="",
                deleted_at=transaction.now,
                deleted_by=None,
                pinned_at=None,
                pinned_by=None,
                change=counted.change,
            )
        )
    return len(rows)


async def _empty_reports(transaction: Transaction, user_id: UUID) -> int:
    """Take the words out of reports by somebody."""
    done = await transaction.execute(
        update(chat_report)
        .where(chat_report.c.org_id == transaction.org_id, chat_report.c.reporter_id == user_id)
        .values(note="")
    )
    return done.rowcount


async def _empty_reported(transaction: Transaction, user_id: UUID) -> int:
    """Take what somebody said out of reports of it, and what was answered to these."""
    done = await transaction.execute(
        update(chat_report)
        .where(chat_report.c.org_id == transaction.org_id, chat_report.c.sender_id == user_id)
        .values(body="", answer="")
    )
    return done.rowcount


def _messages_of(user_id: UUID) -> Select[tuple[UUID]]:
    return select(chat_message.c.id).where(
        chat_message.c.org_id == chat_reaction.c.org_id, chat_message.c.sender_id == user_id
    )


def _revisions_of(user_id: UUID) -> ColumnElement[bool]:
    return chat_revision.c.message_id.in_(
        select(chat_message.c.id).where(
            chat_message.c.org_id == chat_revision.c.org_id, chat_message.c.sender_id == user_id
        )
    )


HOLDINGS: Final = (
    Holding("chat_reactions", chat_reaction, by=("user_id",), erase=DELETE),
    Holding("chat_revisions", chat_revision, by=(), erase=DELETE, where=_revisions_of),
    Holding("chat_reports", chat_report, by=("reporter_id",), erase=_empty_reports),
    Holding(
        "chat_reports_of_you",
        chat_report,
        by=("sender_id",),
        erase=_empty_reported,
        leave_out=frozenset({"reporter_id", "note", "answer"}),  # nobody is told who reported them
    ),
    Holding("chat_messages", chat_message, by=("sender_id",), erase=_empty_messages),
    Holding("chat_rooms_read", chat_member, by=("user_id",), erase=DELETE),
    Holding("chat_rooms_of_two", chat_room, by=("direct_low", "direct_high"), erase=Keep("the other has them, too")),
)
