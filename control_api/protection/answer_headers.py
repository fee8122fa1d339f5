"""Headers that every answer carries, whatever made it: nothing is guessed, framed, run or told to other sites."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    hdrs.SERVER: "Halqa",  # not which versions of what
}

IF_NOT_SAID: Final = {
    # An answer that is no page runs and loads nothing, should a browser ever be led to show it.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), microphone=(), display-capture=(), geolocation=()",
}
"""The class page and the documentation bring their own."""


async def add_answer_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Complete the headers of a response; to be called when they are about to be sent (`on_response_prepare`)."""
    for name, value in ALWAYS.items():
        response.headers[name] = value
    for name, value in IF_NOT_SAID.items():
        response.headers.setdefault(name, value)
