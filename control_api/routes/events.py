"""GET /v1/events: the feed as JSON lines, by long polling. control_api/events.md is the manual."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from aiohttp import hdrs, web

from control_api.contract.scopes import Scope
from control_api.errors import error_response
from control_api.feed.cursor import BadCursorError, Cursor, build_cursor, parse_cursor
from control_api.feed.feed import CursorGoneError, Feed, Page
from control_api.feed.visible import read_visible
from control_api.rest.authority import Authority
from control_api.rest.problems import ProblemError
from control_api.rest.serve import refuse
from signaling.room_pattern import RoomPattern

LIMIT_DEFAULT: Final = 500
LIMIT_MAX: Final = 1000  # about 300 kB
WAIT_S_DEFAULT: Final = 0
WAIT_S_MAX: Final = 60  # proxies give up on silence after about as long
WAITING_MAX: Final = 256  # long polls at a time; each is a task and a socket

CURSOR_HEADER: Final = "Halqa-Cursor"
CONTENT_TYPE: Final = "application/x-ndjson"
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_PARAMETERS: Final = frozenset({"after", "limit", "wait_s"})


class _BadParameterError(ValueError):
    """A query that means nothing here; the message says why."""


def add_event_routes(application: web.Application, feed: Feed, authority: Authority) -> None:
    """Serve the feed to keys with the scope `events:read`, of their rooms. Long polls end when the server does."""
    waiting = asyncio.Semaphore(WAITING_MAX)
    closing = asyncio.Event()

    async def respond(request: web.Request) -> web.Response:
        try:
            caller = authority.identify(request)
            caller.check(Scope.EVENTS_READ)
            cursor, limit, wait_s = await _parse(request, feed)
            if waiting.locked():
                return error_response(429, "too_many_readers", f"{WAITING_MAX} readers wait already", _retry())
            async with waiting:
                page = await _read_of(caller.rooms, feed, cursor, limit, wait_s, closing)
        except ProblemError as error:
            return refuse(error)
        except (BadCursorError, _BadParameterError) as error:
            code = "bad_cursor" if isinstance(error, BadCursorError) else "bad_parameter"
            return error_response(400, code, str(error))
        except CursorGoneError as error:
            return error_response(410, "cursor_gone", str(error))
        body = b"".join(line + b"\n" for line in page.lines)
        headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE, hdrs.CACHE_CONTROL: "no-store", CURSOR_HEADER: page.cursor}
        return web.Response(body=body, headers=headers)

    async def end_waits(_application: web.Application) -> None:
        closing.set()

    application.on_shutdown.append(end_waits)
    application.router.add_get("/v1/events", respond)


async def _read_of(
    rooms: RoomPattern, feed: Feed, cursor: Cursor, limit: int, wait_s: float, closing: asyncio.Event
) -> Page:
    """Read a page of these rooms; what happens in others does not end the wait."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while True:
        found = await _read(feed, cursor, limit, max(0.0, until - loop.time()), closing)
        page = await read_visible(feed, found, rooms, limit=limit)
        if page.lines or loop.time() >= until or closing.is_set():
            return page
        cursor = parse_cursor(page.cursor)


async def _read(feed: Feed, cursor: Cursor, limit: int, wait_s: float, closing: asyncio.Event) -> Page:
    """Read a page; when the server shuts down, one that waits is empty at once."""
    if wait_s == 0 or closing.is_set():
        return await feed.read(cursor, limit=limit)
    reading = asyncio.create_task(feed.read(cursor, limit=limit, wait_s=wait_s))
    ending = asyncio.create_task(closing.wait())
    try:
        await asyncio.wait((reading, ending), return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else Page([], build_cursor(cursor))
    finally:
        for task in (reading, ending):
            task.cancel()
        await asyncio.gather(reading, ending, return_exceptions=True)


async def _parse(request: web.Request, feed: Feed) -> tuple[Cursor, int, int]:
    """Return cursor, limit and wait of a query; raises _BadParameterError and what cursors raise."""
    query = request.query
    for name in query:
        if name not in _PARAMETERS:
            raise _BadParameterError(f"parameter {name!r} is not known here; there are after, limit and wait_s")
        if len(query.getall(name)) > 1:
            raise _BadParameterError(f"parameter {name!r} is given more than once")
    limit = _number(query.get("limit"), "limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    wait_s = _number(query.get("wait_s"), "wait_s", WAIT_S_DEFAULT, 0, WAIT_S_MAX)
    match query.get("after"):
        case None:
            cursor = await feed.oldest()
        case "now":
            cursor = feed.now
        case text:
            cursor = parse_cursor(text)
            feed.check(cursor)
    return cursor, limit, wait_s


def _number(text: str | None, name: str, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise _BadParameterError(f"{name} must be a whole number from {least} to {most}")
    return int(text)


def _retry() -> dict[str, str]:
    return {hdrs.RETRY_AFTER: "5"}
