"""Keeping order: mute and ban, lock and clear a room, report what was said, and look at reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, select, update

from lms.access.roles import permissions_of
from lms.api.caller import Caller
from lms.api.phrases import Phrase
from lms.api.problems import FORBIDDEN, ProblemError, bad_field, not_found
from lms.chat.access import RoomFor, room_to_moderate, room_to_read, standing_of
from lms.chat.events import room_event
from lms.chat.members import moderators_of
from lms.chat.moderation_messages import CloseReport, Mute, ReportMessage
from lms.chat.problems import ALREADY_REPORTED, MESSAGE_DELETED, REPORT_CLOSED, THE_MEMBER, THE_MESSAGE, THE_REPORT
from lms.chat.rules import RoomKind, Standing, may_hold, runs_the_school
from lms.chat.store import find_message, find_room, write_member
from lms.chat.tables import ReportStatus, chat_message, chat_reaction, chat_report, chat_revision, chat_room
from lms.chat.writing import count, two_of
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.live.live import Live
from lms.notifications.kinds import Kind
from lms.notifications.store import Notifier
from lms.people.tables import app_user

MUTED_MAX: Final = timedelta(days=366)


class Moderator:
    """Keeps order in rooms."""

    def __init__(self, ids: Ids, live: Live) -> None:
        self._ids = ids
        self._live = live
        self._notifier = Notifier(ids, live)

    async def mute(
        self, transaction: Transaction, caller: Caller, room_id: UUID, user_id: UUID, asked: Mute | None
    ) -> None:
        """Keep somebody from writing until some time; None: let them write again. Raises ProblemError."""
        until = None if asked is None else asked.until
        if until is not None and not transaction.now < until <= transaction.now + MUTED_MAX:
            raise bad_field(
                "until", until.isoformat(), Phrase("a time within the year to come", "وقت خلال السنة القادمة"), "range"
            )
        await self._check_may_hold(transaction, caller, room_id, user_id)
        reason = None if asked is None else asked.reason or None
        values = {"muted_until": until, "reason": reason, "held_by": caller.user_id}
        await write_member(transaction, room_id, user_id, values)

    async def ban(
        self, transaction: Transaction, caller: Caller, room_id: UUID, user_id: UUID, reason: str, *, on: bool
    ) -> None:
        """Put somebody out of a room, or let them in again; of two people: keep the other from writing."""
        found = await self._check_may_hold(transaction, caller, room_id, user_id)
        banned_at = transaction.now if on else None
        values = {"banned_at": banned_at, "reason": reason or None, "held_by": caller.user_id}
        await write_member(transaction, room_id, user_id, values)
        if on and not found.is_direct:
            await self._live.drop(transaction, room_id, user_id, "banned")

    async def change(
        self, transaction: Transaction, caller: Caller, room_id: UUID, values: dict[str, Any]
    ) -> dict[str, Any]:
        """Lock or open a room, or say how long it is kept; return what was different before. Raises ProblemError."""
        found = await room_to_moderate(transaction, caller, room_id)
        old = {name: getattr(found.row, name) for name, value in values.items() if getattr(found.row, name) != value}
        if old:
            await self._change_room(transaction, room_id, values)
        return old

    async def clear(self, transaction: Transaction, caller: Caller, room_id: UUID) -> int:
        """Take away everything that was said so far, and return how many messages that were. Raises ProblemError."""
        await room_to_moderate(transaction, caller, room_id)
        room = await find_room(transaction, room_id, lock=True)
        assert room is not None, "it is moderated"
        emptied = await empty(transaction, room, room.last_seq, deleted_by=caller.user_id)
        await self._change_room(transaction, room_id, {"cleared_seq": room.last_seq})
        return emptied

    async def report(
        self, transaction: Transaction, caller: Caller, room_id: UUID, message_id: UUID, asked: ReportMessage
    ) -> UUID:
        """Note that somebody finds something wrong with a message; return the report. Raises ProblemError."""
        found = await room_to_read(transaction, caller, room_id)
        message = await find_message(transaction, room_id, message_id)
        if message is None:
            raise not_found(THE_MESSAGE)
        if message.deleted_at is not None:
            raise ProblemError(MESSAGE_DELETED)
        if message.sender_id == caller.user_id:
            raise ProblemError(FORBIDDEN, rule="own_message")
        own = (chat_report.c.message_id == message_id, chat_report.c.reporter_id == caller.user_id)
        if await transaction.first(select(chat_report.c.id).where(chat_report.c.org_id == transaction.org_id, *own)):
            raise ProblemError(ALREADY_REPORTED, rule="unique")
        report_id = self._ids.new()
        await transaction.execute(
            insert(chat_report).values(
                org_id=transaction.org_id, id=report_id, room_id=room_id, message_id=message_id,
                sender_id=message.sender_id, reporter_id=caller.user_id, reason=asked.reason, note=asked.note,
                body=message.body, status=ReportStatus.OPEN, created_at=transaction.now, answer="",
            )
        )  # fmt: skip
        about = {"room_id": str(room_id), "report_id": str(report_id), "title": found.title}
        moderators = await moderators_of(transaction, found.row)
        await self._notifier.notify(transaction, moderators, Kind.CHAT_REPORTED, f"chat.report {report_id}", about)
        return report_id

    async def close_report(
        self, transaction: Transaction, caller: Caller, report_id: UUID, asked: CloseReport
    ) -> Row[Any]:
        """Say what became of a report; raises ProblemError."""
        row = await find_report(transaction, report_id)
        if row is None or not await may_see_report(transaction, caller, row):
            raise not_found(THE_REPORT)
        if row.status is not ReportStatus.OPEN:
            raise ProblemError(REPORT_CLOSED, value=row.status.value)
        await transaction.execute(
            update(chat_report)
            .where(chat_report.c.org_id == transaction.org_id, chat_report.c.id == report_id)
            .values(
                status=ReportStatus(asked.status.value),
                answer=asked.answer,
                closed_at=transaction.now,
                closed_by=caller.user_id,
            )
        )
        closed = await find_report(transaction, report_id)
        assert closed is not None, "it was just written"
        return closed

    async def _check_may_hold(self, transaction: Transaction, caller: Caller, room_id: UUID, user_id: UUID) -> RoomFor:
        found = await room_to_read(transaction, caller, room_id)
        if user_id == caller.user_id:
            raise bad_field("user_id", str(user_id), Phrase("somebody else", "شخص آخر"), "other")
        standing, permissions = await standing_of(transaction, found.row, user_id)
        if standing is Standing.NOTHING:
            raise not_found(THE_MEMBER)
        kind: RoomKind = found.row.kind
        if not may_hold(permissions_of(caller.roles), permissions, kind, found.standing, standing):
            raise ProblemError(FORBIDDEN, rule="moderate")
        return found

    async def _change_room(self, transaction: Transaction, room_id: UUID, values: dict[str, Any]) -> None:
        await change_room(transaction, self._live, room_id, values)


async def change_room(transaction: Transaction, live: Live, room_id: UUID, values: dict[str, Any]) -> None:
    """Make a room itself different, and have it told."""
    counted = await count(transaction, room_id)
    await transaction.execute(
        update(chat_room)
        .where(chat_room.c.org_id == transaction.org_id, chat_room.c.id == room_id)
        .values(room_change=counted.change, **values)
    )
    room = await find_room(transaction, room_id)
    assert room is not None, "it was just written"
    await live.tell_room(transaction, room_event(room, change=counted.change), between=two_of(room))


async def empty(transaction: Transaction, room: Row[Any], upto: int, *, deleted_by: UUID | None) -> int:
    """Take the texts of all messages up to a place, with what hangs on them; return how many there were.

    The messages stay as empty places, so that a device that sends one again finds it.
    """
    places = (
        chat_message.c.org_id == transaction.org_id,
        chat_message.c.room_id == room.id,
        chat_message.c.seq <= upto,
        chat_message.c.deleted_at.is_(None),
    )
    ids = select(chat_message.c.id).where(*places)
    for table in (chat_revision, chat_reaction):
        await transaction.execute(
            delete(table).where(table.c.org_id == transaction.org_id, table.c.message_id.in_(ids))
        )
    done = await transaction.execute(
        update(chat_message)
        .where(*places)
        .values(
            body="", search_key="", deleted_at=transaction.now, deleted_by=deleted_by, pinned_at=None, pinned_by=None
        )
    )  # fmt: skip
    return done.rowcount


def reports_statement(transaction: Transaction) -> Select[Any]:
    """Return a statement for reports with the names of who reports and who is reported."""
    reporter, sender = app_user.alias(), app_user.alias()
    return (
        select(
            chat_report,
            reporter.c.display_name.label("reporter_name"),
            sender.c.display_name.label("sender_name"),
        )
        .join(reporter, (reporter.c.org_id == chat_report.c.org_id) & (reporter.c.id == chat_report.c.reporter_id))
        .outerjoin(sender, (sender.c.org_id == chat_report.c.org_id) & (sender.c.id == chat_report.c.sender_id))
        .where(chat_report.c.org_id == transaction.org_id)
    )


async def find_report(transaction: Transaction, report_id: UUID) -> Row[Any] | None:
    """Return a report, None if there is none."""
    return await transaction.first(reports_statement(transaction).where(chat_report.c.id == report_id))


async def may_see_report(transaction: Transaction, caller: Caller, report: Row[Any]) -> bool:
    """Return whether somebody looks after what was reported: who keeps order in its room.

    Of two people nobody does: their reports go to those who run the school.
    """
    room = await find_room(transaction, report.room_id)
    if room is None:
        return False
    if room.direct_low is not None:
        return runs_the_school(permissions_of(caller.roles))
    standing, _ = await standing_of(transaction, room, caller.user_id)
    return standing >= Standing.MODERATE
