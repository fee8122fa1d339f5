"""GET /v1/openapi.json: the OpenAPI document of this server; GET /docs/api: the same to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from control_api.rest.endpoint import AnyEndpoint
from control_api.rest.openapi import build_document
from control_api.rest.page import build_page

TITLE: Final = "Halqa control API"

DESCRIPTION: Final = """\
What other programs do with a media server: rooms and the people in them, tokens to join with, events.

* Show an API key with every request: its id as user, its secret as password (HTTP Basic), or a token that
  it signed (Bearer; `aud` is `halqa-control`, `exp` at most an hour away; `scope` and `rooms` may narrow it).
* Bodies are JSON in UTF-8. A field or parameter that is not known is refused, so that no slip goes unnoticed.
* Whatever is refused changed nothing, and says why: `{"error": {"code", "message", "field", "value", "expected"}}`.
* Answers may gain fields; pass over those that you do not know. Times are RFC 3339 in UTC.
* Lists come in pages: give `next` back as `after` until it is null.
"""

TAGS: Final = (
    ("Rooms", "A room exists from its creation, or from the first join, until it was empty for a while or is ended."),
    ("Participants", "Who is in a room, and what is decided about them. One stay of one person is one participant."),
    ("Tracks", "Cameras, microphones and screens of a room."),
    ("Tokens", "With a token somebody joins a room and may do there what it grants."),
    ("Keys", "API keys: who may use this API for what."),
    ("Connectivity", "How clients get through their networks."),
    ("Events", "What happened in rooms: as a feed that you read, or as webhooks."),
    ("For clients", "What browsers, broadcasters and players speak. Their manuals: signaling/protocol.md and whip.md."),
    ("For operators", "Health and metrics."),
)

_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    hdrs.CACHE_CONTROL: "no-cache",
}


def document_of(endpoints: Iterable[AnyEndpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of these endpoints."""
    return build_document(endpoints, title=TITLE, version=_version(), description=DESCRIPTION, tags=TAGS)


def add_document_routes(application: web.Application, endpoints: Iterable[AnyEndpoint]) -> None:
    """Serve document and page; they hold no secret, so no key is asked for."""
    written = _Written(tuple(endpoints))

    async def respond_document(_request: web.Request) -> web.Response:
        headers = {hdrs.CACHE_CONTROL: "no-cache", hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"}
        content, _ = await written.get()
        return web.Response(body=content, content_type="application/json", headers=headers)

    async def respond_page(_request: web.Request) -> web.Response:
        _, page = await written.get()
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=_PAGE_HEADERS)

    application.router.add_get("/v1/openapi.json", respond_document)
    application.router.add_get("/docs/api", respond_page)


class _Written:
    """Document and page, made once, when they are first asked for: it takes half a second, and a start must not wait.

    It is done in a thread, so that nobody's class waits either.
    """

    def __init__(self, endpoints: tuple[AnyEndpoint, ...]) -> None:
        self._endpoints = endpoints
        self._made: tuple[bytes, bytes] | None = None
        self._making = asyncio.Lock()

    async def get(self) -> tuple[bytes, bytes]:
        async with self._making:
            if self._made is None:
                with ThreadPoolExecutor(max_workers=1, thread_name_prefix="OpenAPI") as thread:
                    self._made = await asyncio.get_running_loop().run_in_executor(thread, self._make)
            return self._made

    def _make(self) -> tuple[bytes, bytes]:
        document = document_of(self._endpoints)
        return msgspec.json.format(msgspec.json.encode(document), indent=1), build_page(document).encode()


def _version() -> str:
    try:
        return version("halqa")
    except PackageNotFoundError:  # from a source tree that is not installed
        return "0"
