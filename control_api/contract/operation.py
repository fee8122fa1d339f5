"""Whether new rooms may come to a server, and its drain."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from control_api.contract.shapes import Answer, Request


class ReadyState(Answer, frozen=True, kw_only=True):
    """Whether new rooms may come."""

    status: Literal["ready", "not_ready"]
    because: tuple[Literal["draining", "journal_failed", "event_loop_slow", "worker_silent"], ...] = ()
    """Why not."""


class DrainQuery(Request, frozen=True, kw_only=True):
    timeout_s: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    """How long classes that run may go on, in seconds; left out: the setting `drain.request_timeout_s`."""


class DrainState(Answer, frozen=True, kw_only=True):
    """How a drain stands."""

    draining: bool
    ends_at: datetime | None = None
    """When rooms that are left will be ended; null without a drain."""
    rooms: int
    """Rooms that are left."""
    participants: int
    """People that are in them."""
