"""The error that a client gets to see: a code for programs, a sentence for people."""

from __future__ import annotations

from media.errors import RemoteError
from signaling.codes import RETRY_AFTER_S, ErrorCode


class RequestError(RemoteError):
    """A request that is refused; it changed nothing."""

    def __init__(self, code: ErrorCode, message: str, *, retry_after_s: int | None = None) -> None:
        """`retry_after_s`: when it is worth asking again; None: what `RETRY_AFTER_S` says of the code, if anything."""
        super().__init__(message)
        self.retry_after_s = RETRY_AFTER_S.get(code) if retry_after_s is None else retry_after_s
        self.code = code
        self.message = message
