"""What happened in rooms, as the feed and webhooks tell it. `control_api/events.md` is the manual."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta

from control_api.contract.shapes import Answer, Request
from control_api.journal.events import Event

FeedCursor: TypeAlias = Annotated[str, Meta(extra_json_schema={"pattern": "^(now|[0-9a-f]{8}-(0|[1-9][0-9]{0,17}))$"})]

EVENTS_DEFAULT = 500
EVENTS_MAX = 1000
WAIT_S_MAX = 60


class EventQuery(Request, frozen=True, kw_only=True):
    """Which piece of the feed."""

    after: FeedCursor | None = None
    """A cursor: what follows it. `now`: only what happens from now on. Without it: from the oldest that is kept."""
    limit: Annotated[int, Meta(ge=1, le=EVENTS_MAX)] = EVENTS_DEFAULT
    """At most so many events."""
    wait_s: Annotated[int, Meta(ge=0, le=WAIT_S_MAX)] = 0
    """If there is none yet, wait for one for so long, in seconds."""


class FeedEvent(Answer, frozen=True, kw_only=True):
    """One line of the feed. (node, boot_id, seq) is unique for ever."""

    cursor: str
    """Give it back as `after` to read what follows."""
    node: str
    """The media server."""
    boot_id: str | None
    """One run of its process; null in place of events that are damaged."""
    seq: int | None
    """1, 2, 3 ... within a run, without holes."""
    at: datetime
    """When it happened, wall clock in UTC."""
    uptime_s: float | None
    """When it was recorded, in seconds since the process began, on a clock that nobody sets."""
    event: Event
    """What happened."""
