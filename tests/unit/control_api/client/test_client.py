"""The client keeps its patience: it tries again what may be done twice, and tells what nothing will mend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from control_api.client import (
    ConflictError,
    ControlClient,
    ForbiddenError,
    GoneError,
    NotFoundError,
    Patience,
    RateLimitedError,
    RefusedError,
    ServerError,
    UnreachableError,
)
from control_api.client.errors import refused
from control_api.contract import CreateToken, Error, EventQuery, SendMessage

IMPATIENT = Patience(attempts=3, timeout_s=2.0, backoff_s=0.001, backoff_max_s=0.01)
ROOMS: dict[str, Any] = {"rooms": [], "next": None}


class Script:
    """A server that answers by a list, and keeps what it was asked."""

    def __init__(self, *answers: int | tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[web.BaseRequest] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        status, body = answer if isinstance(answer, tuple) else (answer, {"error": {"code": "c", "message": "m"}})
        if status == 0:
            assert request.transport is not None
            request.transport.abort()
        headers = {"Halqa-Cursor": "0000000a-7", "Retry-After": "1"}
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status or 200, text=text, headers=headers, content_type="application/json")


@asynccontextmanager
async def talking(
    script: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], patience: Patience = IMPATIENT
) -> AsyncIterator[ControlClient]:
    runner = web.ServerRunner(web.Server(script), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with ControlClient(
            f"http://127.0.0.1:{runner.addresses[0][1]}/base/", "k", "s", patience=patience
        ) as client:
            yield client
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("failure", [0, 429, 502, 503, 504])
async def test_failures_that_pass_are_waited_out(failure: int) -> None:
    script = Script(failure, failure, (200, ROOMS))
    async with talking(script) as client:
        assert (await client.list_rooms()).rooms == ()
    assert len(script.asked) == 3
    assert script.asked[0].path == "/base/v1/rooms"


@pytest.mark.parametrize(("status", "kind"), [(503, ServerError), (429, RateLimitedError), (0, UnreachableError)])
async def test_patience_ends(status: int, kind: type[Exception]) -> None:
    script = Script(status)
    async with talking(script) as client:
        with pytest.raises(kind):
            await client.list_rooms()
    # aiohttp itself asks once more on a new connection if one breaks without an answer.
    assert len(script.asked) == (3 if status else 6)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, RefusedError), (403, ForbiddenError), (404, NotFoundError), (409, ConflictError), (500, ServerError)],
)
async def test_what_no_patience_mends_is_told_at_once(status: int, kind: type[RefusedError]) -> None:
    script = Script(status)
    async with talking(script) as client:
        with pytest.raises(kind) as error:
            await client.get_room("algebra")
    assert (len(script.asked), error.value.code, error.value.status) == (1, "c", status)


async def test_what_must_not_be_done_twice_is_tried_once() -> None:
    script = Script(0)
    async with talking(script) as client:
        with pytest.raises(UnreachableError):
            await client.send_message("algebra", SendMessage(body=1))
    assert len(script.asked) == 1


async def test_creation_is_tried_again_with_the_same_key() -> None:
    script = Script(0, (201, "{}"))
    async with talking(script) as client:
        with pytest.raises(UnreachableError, match="no media server"):
            await client.create_room()
    assert len({request.headers["Idempotency-Key"] for request in script.asked}) == 1
    assert len(script.asked) == 2


async def test_lost_answer_to_a_removal_is_no_failure() -> None:
    script = Script(0, 0, 404)
    async with talking(script) as client:
        await client.end_room("algebra")
    assert len(script.asked) == 3
    async with talking(Script(404)) as client:
        with pytest.raises(NotFoundError):
            await client.end_room("algebra")


async def test_silence_is_unreachable() -> None:
    async def silent(_request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with talking(silent, Patience(attempts=1, timeout_s=0.1)) as client:
        with pytest.raises(UnreachableError, match=r"within 0\.1 s"):
            await client.list_rooms()


async def test_names_are_one_segment_of_a_path() -> None:
    script = Script((200, "{}"))
    async with talking(script) as client:
        for name in ("..", ".", ""):
            with pytest.raises(ValueError, match="no name"):
                await client.get_room(name)
        with pytest.raises(UnreachableError):
            await client.get_room("../keys?x=1#y/صف")
    assert script.asked[0].raw_path == "/base/v1/rooms/..%2Fkeys%3Fx%3D1%23y%2F%D8%B5%D9%81"


async def test_redirects_are_not_followed() -> None:
    async with talking(Script(302)) as client:
        with pytest.raises(RefusedError):
            await client.list_rooms()


async def test_feed_goes_on_after_failures_and_passes_over_what_is_new() -> None:
    line = (
        '{"cursor":"0000000a-%d","node":"m","boot_id":"b","seq":%d,"at":"2026-09-01T08:00:00Z","uptime_s":1.0,'
        '"event":{"type":"%s","room":"a"}}'
    )
    page = "\n".join((line % (1, 1, "room_started"), line % (2, 2, "room_repainted"), line % (3, 3, "room_ended")))
    script = Script((200, page), 503, 0, (200, line % (8, 8, "room_started")), 410)
    seen: list[int | None] = []
    async with talking(script) as client:
        with pytest.raises(GoneError):
            async for event in client.follow_events("0000000a-0"):
                seen.append(event.seq)
    assert seen == [1, 3, 8]
    assert [request.query["after"] for request in script.asked[:2]] == ["0000000a-0", "0000000a-7"]


async def test_page_of_events_has_a_cursor_even_if_it_is_empty() -> None:
    async with talking(Script((200, ""))) as client:
        page = await client.read_events(EventQuery(after="now"))
        assert (page.events, page.cursor) == ((), "0000000a-7")


async def test_answer_of_something_else_is_no_page() -> None:
    async def proxy(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="<html>log in first</html>")

    async with talking(proxy) as client:
        with pytest.raises(UnreachableError, match="not from a media server"):
            await client.read_events()
        with pytest.raises(UnreachableError, match="no media server"):
            await client.list_rooms()


def test_wait_grows_is_spread_and_is_bounded() -> None:
    patience = Patience(backoff_s=1.0, backoff_max_s=5.0)
    assert [patience.wait_s(n, retry_after_s=None, chance=1.0) for n in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 5.0]
    assert patience.wait_s(1, retry_after_s=None, chance=0.0) == 0.5
    assert patience.wait_s(1, retry_after_s=3.0, chance=0.0) == 3.0
    assert patience.wait_s(1, retry_after_s=3600.0, chance=0.0) == 5.0


def test_error_says_status_code_and_message() -> None:
    error = refused(409, Error(code="room_exists", message="There is one."))
    assert isinstance(error, ConflictError)
    assert str(error) == "409 room_exists: There is one."


async def test_key_is_shown_and_never_in_texts() -> None:
    script = Script((200, ROOMS))
    async with talking(script) as client:
        await client.list_rooms()
        assert "c2VjcmV0" not in repr(client)
    assert script.asked[0].headers["Authorization"] == "Basic azpz"
    assert CreateToken(room="a", identity="b").ttl_s == 21_600
