"""The one shape of an HTTP error, {error: {code, message}}, and the middleware that gives it to every refusal."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from media.errors import LocalError

logger = logging.getLogger(__name__)

CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    426: "upgrade_required",
    503: "unavailable",
}
"""`code` of the refusals that aiohttp makes itself; routes choose their own."""


class StartError(LocalError):
    """The server could not start; the message says what to change."""


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def error_response(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return an error: `code` is for programs and never changes, `message` is a sentence for people."""
    body = msgspec.json.encode({"error": {"code": code, "message": message}})
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a route raised into the one error shape; our own faults are logged and told without detail."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400 or refusal.content_type == "application/json":
            raise
        code = CODES.get(refusal.status, "refused")
        headers = {name: value for name, value in refusal.headers.items() if name in {"Allow", "Retry-After"}}
        return error_response(refusal.status, code, f"{refusal.reason}: {request.method} {request.path}", headers)
    except Exception as error:
        if not (isinstance(error, ConnectionError) and _has_gone(request)):  # to answer who has gone is no fault
            logger.exception("a request failed", extra={"method": request.method, "route": _route(request)})
        return error_response(500, "internal", "The server failed on this request; its log says why.")


def _has_gone(request: web.Request) -> bool:
    """Whether the client's connection is closed, or about to be."""
    return request.transport is None or request.transport.is_closing()


def _route(request: web.Request) -> str:
    """Return the pattern that matched, not the path: paths hold names of rooms."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
