"""What can go wrong for a client: one family, with a class for each thing that a program would treat differently."""

from __future__ import annotations

from typing import Final

from signaling.codes import CloseCode


class HalqaError(Exception):
    """Everything that the client raises. `code` is stable and meant for programs; the text is English, for logs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code


class RequestRefusedError(HalqaError):
    """The server refused one request and changed nothing; `code` is one of protocol.md's. The room goes on."""


class DisconnectedError(HalqaError):
    """The connection broke before an answer came, or did not come back in time: it is not known what was done."""

    def __init__(self, message: str) -> None:
        super().__init__("disconnected", message)


class WrongStateError(HalqaError):
    """A call out of turn: publishing without media, a second `connect`, anything after the end."""

    def __init__(self, message: str) -> None:
        super().__init__("wrong_state", message)


class RoomClosedError(HalqaError):
    """The stay in the room is over, and coming back by itself makes no sense. Its subclasses say why."""


class LeftError(RoomClosedError):
    """We left ourselves."""


class UnreachableError(RoomClosedError):
    """There is no server at the address, or none came back in the time that the policy allows."""


class NotAllowedInError(RoomClosedError):
    """Token or room do not let us in: `bad_token`, `wrong_room`, `banned`, `room_locked`, `room_full` ..."""


class TokenExpiredError(NotAllowedInError):
    """The token ran out; a token source (see `credentials`) prevents that."""


class ReplacedError(RoomClosedError):
    """The same identity came in from elsewhere."""


class RemovedError(RoomClosedError):
    """A moderator put us out."""


class SentBackError(RoomClosedError):
    """A moderator sent us back to the waiting room, and the policy says not to wait again."""


class ClassOverError(RoomClosedError):
    """The class is over for everybody."""


class MediaFailedError(RoomClosedError):
    """The media path could not be made, again and again: some network lets no UDP through."""


_BY_CLOSE_CODE: Final[dict[int, type[RoomClosedError]]] = {
    CloseCode.NORMAL: LeftError,
    CloseCode.BAD_JOIN: NotAllowedInError,
    CloseCode.TOKEN_EXPIRED: TokenExpiredError,
    CloseCode.REPLACED: ReplacedError,
    CloseCode.MEDIA_FAILED: MediaFailedError,
    CloseCode.REMOVED: RemovedError,
    CloseCode.SENT_BACK: SentBackError,
    CloseCode.RESUMED: ReplacedError,
    CloseCode.ENDED: ClassOverError,
}

_CODES: Final[dict[type[RoomClosedError], str]] = {
    LeftError: "left",
    NotAllowedInError: "not_allowed_in",
    TokenExpiredError: "token_expired",
    ReplacedError: "replaced",
    MediaFailedError: "media_failed",
    RemovedError: "removed",
    SentBackError: "sent_back",
    ClassOverError: "ended",
}


def closed_by(close_code: int | None, *, code: str | None = None, message: str = "") -> RoomClosedError:
    """Return the error for a close code of protocol.md; `code` and `message`: what `error` or `ended` said before."""
    kind = _BY_CLOSE_CODE.get(close_code or 0, UnreachableError)
    if code == "token_expired":
        kind = TokenExpiredError
    return kind(code or _CODES.get(kind, "connection_lost"), message)
