"""HTTP around WHIP and WHEP: what a request must bring, CORS, and the one shape of a refusal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Final

from aiohttp import hdrs, web

from signaling.codes import ErrorCode
from signaling.whip.refusals import Refusal, RefusedError

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
ACCEPT_PATCH: Final = "Accept-Patch"
ACCEPT_POST: Final = "Accept-Post"

_READ_BYTES: Final = 16 * 1024

CORS_HEADERS: Final = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",  # a token opens the door, never a cookie: any page may hold one
    hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: "Location, ETag, Link, Accept-Patch, Allow, Retry-After",
}


def answer_options(methods: Iterable[str], accepted: dict[str, str]) -> web.Response:
    """Return the answer to OPTIONS, a CORS preflight or not; the same whether the address leads anywhere."""
    headers = {
        **accepted,
        hdrs.ALLOW: ", ".join(methods),
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(methods),
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, If-Match",
        hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
    }
    return web.Response(headers=headers)


def refuse(error: RefusedError) -> web.Response:
    """Return a refusal as JSON."""
    headers = {hdrs.CACHE_CONTROL: "no-store", **error.headers}
    if error.status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    body = json.dumps({"error": {"code": error.code.value, "message": error.message}})
    return web.Response(status=error.status, text=body, content_type="application/json", headers=headers)


def check_content_type(request: web.BaseRequest, expected: str) -> None:
    """Raise RefusedError unless the body says to be of this type."""
    if request.content_type != expected:
        name = ACCEPT_POST if expected == SDP else ACCEPT_PATCH
        raise RefusedError(Refusal.WRONG_CONTENT_TYPE, f"Content-Type must be {expected}", headers={name: expected})


def check_accept(request: web.BaseRequest, offered: str) -> None:
    """Raise RefusedError if the client rules out what it would get (RFC 9110 section 12.5.1)."""
    lines = request.headers.getall(hdrs.ACCEPT, [])
    ranges = [item.strip().partition(";") for line in lines for item in line.lower().split(",")]
    main_type = offered.partition("/")[0]
    for name, _, parameters in ranges:
        if name.strip() in {offered, f"{main_type}/*", "*/*"} and not _is_refused(parameters):
            return
    if ranges:
        raise RefusedError(Refusal.NOT_ACCEPTABLE, f"the answer is {offered}, which Accept does not name")


async def read_text(request: web.BaseRequest, *, bytes_max: int, timeout_s: float) -> str:
    """Return the body as text; RefusedError if it is too long, too slow or not UTF-8."""
    too_large = RefusedError(Refusal.TOO_LARGE, f"the body has more than {bytes_max} bytes")
    if (request.content_length or 0) > bytes_max:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            while chunk := await request.content.read(_READ_BYTES):
                body += chunk
                if len(body) > bytes_max:
                    raise too_large
    except TimeoutError:
        raise RefusedError(Refusal.BODY_TIMEOUT, f"the body did not come within {timeout_s:g} s") from None
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(ErrorCode.BAD_MESSAGE, f"the body is not UTF-8 at byte {error.start}") from None


def _is_refused(parameters: str) -> bool:
    """Return whether the parameters of a media range say q=0."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.strip() == "q":
            return value.strip().rstrip("0").rstrip(".") in {"", "0"}
    return False
