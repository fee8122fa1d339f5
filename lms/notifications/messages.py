"""What is asked and told about notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from lms.api.paging import PageQuery
from lms.live.events import Event
from lms.live.speech import Spoken
from lms.notifications.kinds import Kind
from webapi.shapes import Answer, Request


class NotificationPath(Request, frozen=True, kw_only=True):
    notification_id: UUID


class NotificationQuery(PageQuery, frozen=True, kw_only=True):
    """Which notifications."""

    unread: bool = False
    """Only those that you have not read."""


class Notification(Answer, frozen=True, kw_only=True):
    """Something to know of."""

    id: UUID
    kind: Kind
    texts: dict[str, str]
    """A sentence by language: `en`, `ar`."""
    about: dict[str, Any]
    """Ids and values for programs, by kind: `class_id`, `run_id`, `starts_at`, `item_id`, `title` ..."""
    created_at: datetime
    read_at: datetime | None


class Unread(Answer, frozen=True, kw_only=True):
    """How many notifications nobody has read."""

    unread: int


class ReadNotification(Spoken, frozen=True, kw_only=True):
    """You have read one, or, without an id, all of them."""

    notification_id: UUID | None = None


class QueuedReadNotification(Request, frozen=True, kw_only=True):
    """You have read one, or, without an id, all of them."""

    notification_id: UUID | None = None


class NotificationNew(Event, frozen=True, kw_only=True, tag="notification:new"):
    """Something to know of; who is away finds it by HTTP."""

    notification: Notification


class NotificationRead(Event, frozen=True, kw_only=True, tag="notification:read"):
    """You have read one, or all of them, on another device."""

    notification_id: UUID | None
    unread: int
