"""No new participant when the journal could not keep their presence: the disk fails, and memory is half full."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from control_api.errors import Handler, error_response
from control_api.journal.journal import Journal

JOINS: Final = ("/v1/rooms/{room}/ws", "/whip/{room}", "/whep/{room}")
RETRY_AFTER_S: Final = 30


def refuse_joins_without_memory(journal: Journal) -> Middleware:
    """Return a middleware that answers 503 to joins while `journal.refuses_joins`; everything else goes on."""

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if journal.refuses_joins and resource is not None and resource.canonical in JOINS:
            message = "The server cannot keep its journal (disk full?) and lets nobody in until it can."
            return error_response(503, "journal_failed", message, {hdrs.RETRY_AFTER: str(RETRY_AFTER_S)})
        return await handler(request)

    return gate
