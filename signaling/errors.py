"""The error that a client gets to see: a code for programs, a sentence for people."""

from __future__ import annotations

from media.errors import RemoteError
from signaling.codes import ErrorCode


class RequestError(RemoteError):
    """A request that is refused; it changed nothing."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
