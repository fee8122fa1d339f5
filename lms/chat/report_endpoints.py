"""Reports of messages, earlier texts of them, and search."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, select

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result, Use
from lms.api.paging import fetch_page
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND, not_found
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.chat.access import room_to_moderate
from lms.chat.message_endpoints import MESSAGE
from lms.chat.messages import Message, MessagePath
from lms.chat.moderation import Moderator, reports_statement
from lms.chat.moderation_messages import (
    CloseReport,
    Report,
    Reported,
    ReportMessage,
    ReportPath,
    ReportQuery,
    Revision,
    SearchQuery,
)
from lms.chat.problems import ALREADY_REPORTED, BANNED, MESSAGE_DELETED, REPORT_CLOSED, THE_MESSAGE
from lms.chat.room_endpoints import TAG
from lms.chat.rules import runs_the_school
from lms.chat.search import search_messages
from lms.chat.store import find_message, moderated_rooms
from lms.chat.tables import chat_report, chat_revision
from lms.parts import Parts

REPORTS: Final = "/api/v1/chat/reports"


class ReportEndpoints:
    """What is wrong with messages, and what was in them."""

    def __init__(self, parts: Parts) -> None:
        self._moderator = Moderator(parts.ids, parts.live)

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        moderate = Permission.CHAT_MODERATE
        return (
            Endpoint(
                operation="report_message", method="POST", path=f"{MESSAGE}/report", summary="Report a message",
                description="To those who keep order in the room; of a room of two people to those who run the school. "
                "They see what it said when it was reported.",
                tag=TAG, access=Permission.CHAT, parameters=MessagePath, body=ReportMessage, limit=Limit.CHAT,
                answers={201: Reply("Reported.", Reported)},
                problems=(NOT_FOUND, FORBIDDEN, BANNED, MESSAGE_DELETED, ALREADY_REPORTED), run=self._report,
            ),
            Endpoint(
                operation="list_chat_reports", method="GET", path=REPORTS, summary="List reports",
                description="Of the rooms in which you keep order. It is noted who looked.", tag=TAG, access=moderate,
                query=ReportQuery, answers={200: Reply("A page of reports, the latest first.", list[Report])},
                problems=(BAD_CURSOR,), use=Use.WRITE, run=self._list,
            ),
            Endpoint(
                operation="close_chat_report", method="POST", path=f"{REPORTS}/{{report_id}}/close",
                summary="Say what became of a report", tag=TAG, access=moderate, parameters=ReportPath,
                body=CloseReport, answers={200: Reply("The report.", Report)}, problems=(NOT_FOUND, REPORT_CLOSED),
                run=self._close,
            ),
            Endpoint(
                operation="list_message_revisions", method="GET", path=f"{MESSAGE}/revisions",
                summary="Read earlier texts of a message", description="For those who keep order; it is noted.",
                tag=TAG, access=moderate, parameters=MessagePath,
                answers={200: Reply("Earlier texts, the first one first; none of a deleted message.", list[Revision])},
                problems=(NOT_FOUND, FORBIDDEN, BANNED), use=Use.WRITE, run=self._revisions,
            ),
            Endpoint(
                operation="search_messages", method="GET", path="/api/v1/chat/search", summary="Find messages",
                description="The latest first; for more, give the last one's `id` as `before`.", tag=TAG,
                access=Permission.CHAT, query=SearchQuery,
                answers={200: Reply("Messages that hold the text.", list[Message])}, problems=(NOT_FOUND, BANNED),
                run=self._search,
            ),
        )  # fmt: skip

    async def _report(self, call: Call[MessagePath, Nothing, ReportMessage]) -> Result:
        path = call.path
        report_id = await self._moderator.report(
            call.transaction, call.caller, path.room_id, path.message_id, call.body
        )
        new = {"message_id": str(path.message_id), "reason": call.body.reason.value}
        await record(call, "chat.report", "chat_report", report_id, new=new)
        return Result(Reported(id=report_id), status=201)

    async def _list(self, call: Call[Nothing, ReportQuery, Nothing]) -> Result:
        transaction, caller, query = call.transaction, call.caller, call.query
        statement = reports_statement(transaction)
        if not runs_the_school(permissions_of(caller.roles)):
            statement = statement.where(chat_report.c.room_id.in_(moderated_rooms(transaction, caller.user_id)))
        if query.status is not None:
            statement = statement.where(chat_report.c.status == query.status)
        if query.room_id is not None:
            statement = statement.where(chat_report.c.room_id == query.room_id)
        rows, following = await fetch_page(transaction, statement, (chat_report.c.id,), query, descending=True)
        if rows:
            await record(call, "chat.reports", "chat_report", new={"reports": len(rows)})
        return Result([_view(row) for row in rows], next=following)

    async def _close(self, call: Call[ReportPath, Nothing, CloseReport]) -> Result:
        row = await self._moderator.close_report(call.transaction, call.caller, call.path.report_id, call.body)
        new = {"status": row.status.value, "answer": row.answer, "sender_id": row.sender_id}
        await record(call, "chat.report_close", "chat_report", row.id, new=new)
        return Result(_view(row))

    async def _revisions(self, call: Call[MessagePath, Nothing, Nothing]) -> Result:
        transaction, path = call.transaction, call.path
        await room_to_moderate(transaction, call.caller, path.room_id)
        if await find_message(transaction, path.room_id, path.message_id) is None:
            raise not_found(THE_MESSAGE)
        rows = await transaction.rows(
            select(chat_revision)
            .where(chat_revision.c.org_id == transaction.org_id, chat_revision.c.message_id == path.message_id)
            .order_by(chat_revision.c.number)
        )
        await record(call, "chat.revisions", "chat_message", path.message_id)
        return Result([Revision(number=row.number, body=row.body, replaced_at=row.replaced_at) for row in rows])

    async def _search(self, call: Call[Nothing, SearchQuery, Nothing]) -> Result:
        return Result(await search_messages(call.transaction, call.caller, call.query))


def _view(row: Row[Any]) -> Report:
    return Report(
        id=row.id,
        room_id=row.room_id,
        message_id=row.message_id,
        body=row.body,
        sender_id=row.sender_id,
        sender_name=row.sender_name,
        reporter_id=row.reporter_id,
        reporter_name=row.reporter_name,
        reason=row.reason,
        note=row.note,
        status=row.status,
        answer=row.answer,
        created_at=row.created_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
