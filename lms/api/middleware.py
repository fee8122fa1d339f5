"""What stands around every route: request ids, headers, CORS, and the one shape of refusals whoever makes them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import uuid4

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from lms.api.phrases import Phrase, same
from lms.api.problems import INTERNAL, NOT_FOUND, TOO_LARGE, Problem, ProblemError
from lms.api.serve import REQUEST_ID, SECURE, refusal

logger = logging.getLogger(__name__)

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
Measure = Callable[[str, str, int, float], None]
"""Takes route, method, status and seconds."""

_REQUEST_ID_FORM: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ALLOWED_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-Id, Accept-Language"
_SHOWN_HEADERS: Final = "ETag, Location, Retry-After, X-Request-Id, Content-Disposition"
_UPGRADED: Final = 101
_PREFLIGHT_S: Final = "600"

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    hdrs.SERVER: "Halqa",
}
_IF_NOT_SAID: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), microphone=(), display-capture=(), geolocation=()",
}
"""Pages bring their own."""
_HSTS: Final = "max-age=31536000; includeSubDomains"


def around(origins: Sequence[str], measure: Measure) -> list[Middleware]:
    """Return the middlewares, the outermost first; `origins` are pages that may use the API from a browser."""
    allowed = frozenset(origins)

    @web.middleware
    async def name_and_measure(request: web.Request, handler: Respond) -> web.StreamResponse:
        given = request.headers.get("X-Request-Id", "")
        request[REQUEST_ID] = given if _REQUEST_ID_FORM.fullmatch(given) else uuid4().hex
        began = time.perf_counter()
        response = await handler(request)
        if response.status != _UPGRADED:  # a WebSocket's time is how long somebody stayed
            measure(_route(request), request.method, response.status, time.perf_counter() - began)
        return response

    @web.middleware
    async def share(request: web.Request, handler: Respond) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        known = origin is not None and origin in allowed
        if known and request.method == "OPTIONS" and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
            response: web.StreamResponse = web.Response(status=204)
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST, PUT, PATCH, DELETE"
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = _ALLOWED_HEADERS
            response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = _PREFLIGHT_S
        else:
            response = await handler(request)
        if known and origin is not None and not response.prepared:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _SHOWN_HEADERS
            response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        return response

    @web.middleware
    async def refuse(request: web.Request, handler: Respond) -> web.StreamResponse:
        try:
            return await handler(request)
        except ProblemError as error:
            return refusal(error, request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return refusal(_problem_of(error), request)
        except Exception:
            extra = {"method": request.method, "route": _route(request), "request_id": request[REQUEST_ID]}
            logger.exception("a request failed", extra=extra)
            return refusal(ProblemError(INTERNAL), request)

    return [name_and_measure, share, refuse]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Complete the headers of a response; to be called when they are about to be sent (`on_response_prepare`)."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    for name, value in _IF_NOT_SAID.items():
        response.headers.setdefault(name, value)
    if request.app[SECURE]:
        response.headers[hdrs.STRICT_TRANSPORT_SECURITY] = _HSTS
    if REQUEST_ID in request:
        response.headers["X-Request-Id"] = request[REQUEST_ID]


def _problem_of(error: web.HTTPException) -> ProblemError:
    match error.status:
        case 404:
            return ProblemError(NOT_FOUND, what=Phrase("address", "العنوان"))
        case 405:
            assert isinstance(error, web.HTTPMethodNotAllowed)
            allowed = ", ".join(sorted(error.allowed_methods))
            problem = Problem("method_not_allowed", 405, "Use {expected} here.", "استخدم {expected} هنا.")
            return ProblemError(problem, value=error.method, expected=same(allowed), headers={hdrs.ALLOW: allowed})
        case 413:
            return ProblemError(TOO_LARGE)
        case status:
            problem = Problem("refused", status, "{reason}", "تعذّر تنفيذ الطلب: {reason}")
            return ProblemError(problem, reason=same(error.reason))


def _route(request: web.Request) -> str:
    """Return the pattern that matched, not the path: paths hold ids, and metrics must stay few."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
