"""Endpoints of those who keep order in a room: who is in it, mutes and bans, its lock, clearing it, its file."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET
from sqlalchemy import select

from lms.access.roles import Permission
from lms.api.endpoint import JSON, AnyEndpoint, Call, Endpoint, File, Nothing, Reply, Result, Use
from lms.api.paging import PageQuery, fetch_page
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND
from lms.audit.record import record
from lms.chat.access import room_to_moderate, room_to_read
from lms.chat.export import write_csv, write_json
from lms.chat.members import members_statement
from lms.chat.messages import ChangeRoom, Room, RoomPath
from lms.chat.moderation import Moderator
from lms.chat.moderation_messages import Ban, Cleared, ExportQuery, HoldPath, MemberOfRoom, Mute
from lms.chat.problems import BANNED
from lms.chat.reading import room_view
from lms.chat.room_endpoints import ONE, TAG
from lms.chat.rules import Standing
from lms.chat.store import messages_statement
from lms.chat.tables import chat_member, chat_message
from lms.chat.views import message_views
from lms.live.last_seen import read_last_seen
from lms.live.presence import Status
from lms.parts import Parts
from lms.people.tables import app_user

EXPORTED_MAX: Final = 20_000
"""The last messages of a room, in one file."""
_READ_AT_ONCE: Final = 2000


class ModerationEndpoints:
    """Rooms as those see them who keep order."""

    def __init__(self, parts: Parts) -> None:
        self._live = parts.live
        self._moderator = Moderator(parts.ids, parts.live)

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        mute, ban = f"{ONE}/mutes/{{user_id}}", f"{ONE}/bans/{{user_id}}"
        chat, refusals = Permission.CHAT, (NOT_FOUND, FORBIDDEN, BANNED)
        done = {204: Reply("Done.")}
        return (
            Endpoint(
                operation="list_room_members", method="GET", path=f"{ONE}/members", summary="List who is in a room",
                description="With who is there now, and who was when. Mutes and bans are told to those who keep order.",
                tag=TAG, access=chat, parameters=RoomPath, query=PageQuery,
                answers={200: Reply("A page of people, by name.", list[MemberOfRoom])},
                problems=(NOT_FOUND, BANNED, BAD_CURSOR), run=self._members,
            ),
            Endpoint(
                operation="change_room", method="PATCH", path=ONE, summary="Lock a room, or say how long it is kept",
                tag=TAG, access=chat, parameters=RoomPath, body=ChangeRoom,
                answers={200: Reply("The room.", Room)}, problems=refusals, run=self._change,
            ),
            Endpoint(
                operation="mute_in_room", method="PUT", path=mute, summary="Keep somebody from writing for a time",
                tag=TAG, access=chat, parameters=HoldPath, body=Mute, answers=done, problems=refusals, run=self._mute,
            ),
            Endpoint(
                operation="unmute_in_room", method="DELETE", path=mute, summary="Let somebody write again", tag=TAG,
                access=chat, parameters=HoldPath, answers=done, problems=refusals, run=self._unmute,
            ),
            Endpoint(
                operation="ban_from_room", method="PUT", path=ban, summary="Put somebody out of a room",
                description="They neither read nor write any more. In a room of two people each may keep the other "
                "from writing so.",
                tag=TAG, access=chat, parameters=HoldPath, body=Ban, answers=done, problems=refusals, run=self._ban,
            ),
            Endpoint(
                operation="unban_from_room", method="DELETE", path=ban, summary="Let somebody into a room again",
                tag=TAG, access=chat, parameters=HoldPath, answers=done, problems=refusals, run=self._unban,
            ),
            Endpoint(
                operation="clear_room", method="POST", path=f"{ONE}/clear", summary="Clear a room",
                description="Everything that was said so far is gone; reports keep what they are about.", tag=TAG,
                access=chat, parameters=RoomPath, answers={200: Reply("Cleared.", Cleared)}, problems=refusals,
                run=self._clear,
            ),
            Endpoint(
                operation="export_room", method="GET", path=f"{ONE}/export", summary="Take a room as a file",
                description=f"The last {EXPORTED_MAX} messages; deleted ones without their text. In CSV no text "
                "becomes a formula. It is noted who did.",
                tag=TAG, access=Permission.CHAT_MODERATE, parameters=RoomPath, query=ExportQuery,
                answers={200: Reply("The file.", media_type="text/csv", or_media_type=JSON)}, problems=refusals,
                use=Use.WRITE, run=self._export,
            ),
        )  # fmt: skip

    async def _members(self, call: Call[RoomPath, PageQuery, Nothing]) -> Result:
        transaction = call.transaction
        found = await room_to_read(transaction, call.caller, call.path.room_id)
        statement = await members_statement(transaction, found.row)
        rows, following = await fetch_page(transaction, statement, (app_user.c.sort_key, app_user.c.id), call.query)
        ids = [row.id for row in rows]
        seen = await read_last_seen(transaction, ids)
        held = await transaction.rows(
            select(chat_member).where(
                chat_member.c.org_id == transaction.org_id,
                chat_member.c.room_id == found.row.id,
                chat_member.c.user_id.in_(ids),
            )
        )
        holds = {row.user_id: row for row in held} if found.standing >= Standing.MODERATE else {}
        views = []
        for row in rows:
            status = self._live.presence.status_of(transaction.org_id, row.id)
            hold = holds.get(row.id)
            views.append(
                MemberOfRoom(
                    user_id=row.id, name=row.display_name, status=_written(status),
                    last_seen_at=seen.get(row.id) if status is Status.OFFLINE else None,
                    muted_until=hold and hold.muted_until, banned=hold is not None and hold.banned_at is not None,
                )
            )  # fmt: skip
        return Result(views, next=following)

    async def _change(self, call: Call[RoomPath, Nothing, ChangeRoom]) -> Result:
        asked = msgspec.structs.asdict(call.body)
        values = {name: value for name, value in asked.items() if value is not UNSET}
        old = await self._moderator.change(call.transaction, call.caller, call.path.room_id, values)
        if old:
            new = {name: values[name] for name in old}
            await record(call, "chat.room", "chat_room", call.path.room_id, old=old, new=new)
        return Result(
            await room_view(
                call.transaction, await room_to_read(call.transaction, call.caller, call.path.room_id)
            )
        )  # fmt: skip

    async def _mute(self, call: Call[HoldPath, Nothing, Mute]) -> Result:
        path, asked = call.path, call.body
        await self._moderator.mute(call.transaction, call.caller, path.room_id, path.user_id, asked)
        return await self._noted(call, "chat.mute", {"until": asked.until, "reason": asked.reason})

    async def _unmute(self, call: Call[HoldPath, Nothing, Nothing]) -> Result:
        await self._moderator.mute(call.transaction, call.caller, call.path.room_id, call.path.user_id, None)
        return await self._noted(call, "chat.unmute", {})

    async def _ban(self, call: Call[HoldPath, Nothing, Ban]) -> Result:
        path, reason = call.path, call.body.reason
        await self._moderator.ban(call.transaction, call.caller, path.room_id, path.user_id, reason, on=True)
        return await self._noted(call, "chat.ban", {"reason": reason})

    async def _unban(self, call: Call[HoldPath, Nothing, Nothing]) -> Result:
        path = call.path
        await self._moderator.ban(call.transaction, call.caller, path.room_id, path.user_id, "", on=False)
        return await self._noted(call, "chat.unban", {})

    async def _clear(self, call: Call[RoomPath, Nothing, Nothing]) -> Result:
        messages = await self._moderator.clear(call.transaction, call.caller, call.path.room_id)
        await record(call, "chat.clear", "chat_room", call.path.room_id, old={"messages": messages})
        return Result(Cleared(messages=messages))

    async def _export(self, call: Call[RoomPath, ExportQuery, Nothing]) -> Result:
        transaction = call.transaction
        found = await room_to_moderate(transaction, call.caller, call.path.room_id)
        first = max(0, found.row.last_seq - EXPORTED_MAX)
        messages = []
        while True:
            rows = await transaction.rows(
                messages_statement(transaction, found.row.id)
                .where(chat_message.c.seq > first)
                .order_by(chat_message.c.seq)
                .limit(_READ_AT_ONCE)
            )
            messages += await message_views(transaction, rows)
            if len(rows) < _READ_AT_ONCE:
                break
            first = rows[-1].seq
        new = {"messages": len(messages), "format": call.query.format}
        await record(call, "chat.export", "chat_room", found.row.id, new=new)
        if call.query.format == "json":
            file = File(write_json(found.title, messages), JSON, "chat.json")
        else:
            file = File(write_csv(messages), "text/csv; charset=utf-8", "chat.csv")
        return Result(file=file)

    @staticmethod
    async def _noted(call: Call[HoldPath, Nothing, Any], action: str, new: dict[str, Any]) -> Result:
        told = {"user_id": str(call.path.user_id), **new}
        await record(call, action, "chat_room", call.path.room_id, new=told)
        return Result(status=204)


def _written(status: Status) -> Literal["online", "away", "offline"]:
    match status:
        case Status.ONLINE:
            return "online"
        case Status.AWAY:
            return "away"
        case Status.OFFLINE:
            return "offline"
