"""Who may read the feed: whoever shows an API key and its secret (HTTP Basic, RFC 7617)."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable

from aiohttp import hdrs, web

from control_api.errors import error_response
from signaling.keys import KeyStore


def authorize_by_key(keys: KeyStore) -> Callable[[web.Request], web.Response | None]:
    """Return a check of requests that answers None, or the refusal: 401 without a key, or with a wrong one."""

    def authorize(request: web.Request) -> web.Response | None:
        shown = parse_basic(request.headers.get(hdrs.AUTHORIZATION, ""))
        if shown is None:
            return _refuse("no_key", "send an API key: Authorization: Basic, with the key's id and secret")
        key_id, password = shown
        key = keys.signing_key(key_id, wallclock=time.time())
        # Compared even if there is no such key, so that time does not tell which ids exist.
        same = [hmac.compare_digest(secret, password) for secret in (key.secrets if key else (b"",))]
        return None if any(same) and key else _refuse("bad_key", "the API key or its secret is wrong")

    return authorize


def parse_basic(header: str) -> tuple[str, bytes] | None:
    """Return user and password of an `Authorization: Basic` header, or None."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(credentials.strip(), validate=True).partition(b":")
        return (user.decode(), password) if colon else None
    except ValueError:
        return None


def _refuse(code: str, message: str) -> web.Response:
    return error_response(401, code, message, {hdrs.WWW_AUTHENTICATE: 'Basic realm="halqa"'})
