"""Every way in which WHIP and WHEP refuse: one table of codes and HTTP status, and the error that carries them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from media.errors import RemoteError
from signaling.codes import HTTP_STATUS, RETRY_AFTER_S, ErrorCode
from signaling.errors import RequestError


class Refusal(enum.Enum):
    """The `code` of an error body that the JSON protocol does not know; part of the interface, never renamed."""

    BAD_QUERY = "bad_query"
    BAD_FRAGMENT = "bad_fragment"
    UNKNOWN_RESOURCE = "unknown_resource"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    BODY_TIMEOUT = "body_timeout"
    NOT_STARTED = "not_started"
    STALE_ETAG = "stale_etag"
    TOO_LARGE = "too_large"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    UNUSABLE_OFFER = "unusable_offer"
    UNUSABLE_FRAGMENT = "unusable_fragment"
    IF_MATCH_REQUIRED = "if_match_required"
    TOO_MANY = "too_many"


STATUS: Final = {
    Refusal.BAD_QUERY: 400,
    Refusal.BAD_FRAGMENT: 400,
    Refusal.UNKNOWN_RESOURCE: 404,
    Refusal.METHOD_NOT_ALLOWED: 405,
    Refusal.NOT_ACCEPTABLE: 406,
    Refusal.BODY_TIMEOUT: 408,
    Refusal.NOT_STARTED: 409,
    Refusal.STALE_ETAG: 412,
    Refusal.TOO_LARGE: 413,
    Refusal.WRONG_CONTENT_TYPE: 415,
    Refusal.UNUSABLE_OFFER: 422,
    Refusal.UNUSABLE_FRAGMENT: 422,
    Refusal.IF_MATCH_REQUIRED: 428,
    Refusal.TOO_MANY: 429,
}

ROOM_STATUS: Final = {
    ErrorCode.BAD_MESSAGE: 400,
    ErrorCode.BAD_OFFER: 400,
    ErrorCode.UNKNOWN_TRACK: 404,
    ErrorCode.UNKNOWN_SECTION: 422,
    ErrorCode.UNKNOWN_SLOT: 422,
    ErrorCode.WRONG_KIND: 422,
    ErrorCode.ROOM_FULL: 503,
    ErrorCode.RATE_LIMITED: 429,
    **HTTP_STATUS,
}
"""Of what the room refuses. A code that is not here is about permission: 403."""


class RefusedError(RemoteError):
    """A request that is refused; it changed nothing."""

    def __init__(self, code: Refusal | ErrorCode, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, error: RequestError) -> RefusedError:
        """Return the refusal that says what the room, or the check of the token, said."""
        retry_after_s = RETRY_AFTER_S.get(error.code)
        return cls(
            error.code, error.message, headers=None if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        )

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code] if isinstance(self.code, Refusal) else ROOM_STATUS.get(self.code, 403)
