"""/api/v1/notifications: what somebody is to know of; by WebSocket and from queues, too."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from lms.access.roles import Permission
from lms.api.caller import Caller
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result
from lms.api.paging import fetch_page
from lms.api.problems import BAD_CURSOR, NOT_FOUND
from lms.database.transaction import Transaction
from lms.live.speech import Conversation
from lms.notifications.messages import (
    Notification,
    NotificationPath,
    NotificationQuery,
    QueuedReadNotification,
    ReadNotification,
    Unread,
)
from lms.notifications.store import Notifier, view
from lms.notifications.tables import notification
from lms.parts import Parts

TAG: Final = "Notifications"
PATH: Final = "/api/v1/notifications"


class NotificationEndpoints:
    """One's own notifications."""

    def __init__(self, parts: Parts) -> None:
        self._notifier = Notifier(parts.ids, parts.live)

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_notifications", method="GET", path=PATH, summary="List your notifications", tag=TAG,
                access=Open.SIGNED_IN, query=NotificationQuery,
                answers={200: Reply("A page of notifications, the latest first.", list[Notification])},
                problems=(BAD_CURSOR,), run=self._list,
            ),
            Endpoint(
                operation="read_notification", method="PATCH", path=f"{PATH}/{{notification_id}}/read",
                summary="Say that you have read a notification", tag=TAG, access=Open.SIGNED_IN,
                parameters=NotificationPath, answers={200: Reply("How many are left.", Unread)},
                problems=(NOT_FOUND,), run=self._read,
            ),
            Endpoint(
                operation="read_all_notifications", method="POST", path=f"{PATH}/read-all",
                summary="Say that you have read all notifications", tag=TAG, access=Open.SIGNED_IN,
                answers={200: Reply("How many are left.", Unread)}, run=self._read_all,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[Nothing, NotificationQuery, Nothing]) -> Result:
        statement = select(notification).where(
            notification.c.org_id == call.transaction.org_id, notification.c.user_id == call.caller.user_id
        )
        if call.query.unread:
            statement = statement.where(notification.c.read_at.is_(None))
        rows, following = await fetch_page(
            call.transaction, statement, (notification.c.id,), call.query, descending=True
        )
        return Result([view(row) for row in rows], next=following)

    async def _read(self, call: Call[NotificationPath, Nothing, Nothing]) -> Result:
        unread = await self._notifier.read(call.transaction, call.caller.user_id, call.path.notification_id)
        return Result(Unread(unread=unread))

    async def _read_all(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        return Result(Unread(unread=await self._notifier.read(call.transaction, call.caller.user_id, None)))


def add_notifications(parts: Parts) -> None:
    """Have notifications read by WebSocket and from queues."""
    notifier = Notifier(parts.ids, parts.live)

    async def say(conversation: Conversation, said: ReadNotification) -> Unread:
        caller = conversation.caller
        async with parts.database.write(caller.org_id) as transaction:
            return Unread(unread=await notifier.read(transaction, caller.user_id, said.notification_id))

    async def apply(transaction: Transaction, caller: Caller, body: QueuedReadNotification) -> Unread:
        return Unread(unread=await notifier.read(transaction, caller.user_id, body.notification_id))

    parts.live.speech.on("notification:read", ReadNotification, say)
    parts.operations.add("notification.read", QueuedReadNotification, apply, access=Permission.CHAT)
