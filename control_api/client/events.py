"""The feed of events, page by page or for ever; events of later versions that we do not know are passed over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import msgspec

from control_api.client.errors import RateLimitedError, ServerError, UnreachableError
from control_api.client.exchange import Exchange
from control_api.client.patience import Patience
from control_api.contract.events import EventQuery, FeedEvent

CURSOR_HEADER: Final = "Halqa-Cursor"

WAIT_S: Final = 30
"""Of one long poll: proxies give up on silence after about a minute."""

_PATIENCE: Final = Patience(backoff_s=0.5, backoff_max_s=15.0)

_FEED_EVENT: Final = msgspec.json.Decoder(FeedEvent)


class _UnknownEvent(msgspec.Struct):
    """A line of a later version."""

    cursor: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """A piece of the feed."""

    events: tuple[FeedEvent, ...]
    cursor: str
    """Where the next piece begins; also if there was nothing."""


async def read_events(exchange: Exchange, query: EventQuery) -> EventPage:
    """Return what follows a cursor; raises ControlError."""
    reply = await exchange.send("GET", "v1", "events", query=query, waits_s=query.wait_s)
    cursor = reply.headers.get(CURSOR_HEADER)
    if cursor is None:
        raise UnreachableError(f"the answer has no {CURSOR_HEADER}: it is not from a media server of ours")
    events = tuple(event for line in reply.content.splitlines() if (event := _decode(line)) is not None)
    return EventPage(events, cursor)


async def follow_events(exchange: Exchange, after: str | None) -> AsyncIterator[FeedEvent]:
    """Yield events for ever, through every break of the connection; raises RefusedError for what no patience mends.

    Keep the `cursor` of an event together with what you made of it, and begin there the next time.
    """
    failures = 0
    while True:
        try:
            page = await read_events(exchange, EventQuery(after=after, wait_s=WAIT_S))
        except (UnreachableError, ServerError, RateLimitedError) as error:
            failures = min(failures + 1, 10)
            retry_after_s = error.retry_after_s if isinstance(error, ServerError | RateLimitedError) else None
            await asyncio.sleep(_PATIENCE.wait_s(failures, retry_after_s=retry_after_s, chance=random.random()))
            continue
        failures = 0
        for event in page.events:
            yield event
        after = page.cursor


def _decode(line: bytes) -> FeedEvent | None:
    try:
        return _FEED_EVENT.decode(line)
    except msgspec.ValidationError:
        msgspec.json.decode(line, type=_UnknownEvent)  # a line all the same
        return None
