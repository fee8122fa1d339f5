"""Every way in which WHIP and WHEP refuse: one table of codes and HTTP status, and the error that carries them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from media.errors import RemoteError
from signaling.codes import HTTP_STATUS, ErrorCode
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
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return cls(error.code, error.message, headers=headers)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code] if isinstance(self.code, Refusal) else HTTP_STATUS[self.code]
