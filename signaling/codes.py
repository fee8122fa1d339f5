"""Every code that a client can meet: errors, WebSocket close codes, HTTP status. One table each."""

from __future__ import annotations

import enum
from typing import Final


class ErrorCode(enum.Enum):
    """The `code` of an `error` message or of a refused upgrade; part of the protocol, so never renamed."""

    BAD_MESSAGE = "bad_message"
    BAD_OFFER = "bad_offer"
    NOT_JOINED = "not_joined"
    ALREADY_JOINED = "already_joined"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN_SECTION = "unknown_section"
    SECTION_BUSY = "section_busy"
    WRONG_KIND = "wrong_kind"
    UNKNOWN_TRACK = "unknown_track"
    UNKNOWN_SLOT = "unknown_slot"
    JOIN_TIMEOUT = "join_timeout"
    CANNOT_RESUME = "cannot_resume"
    UNKNOWN_PARTICIPANT = "unknown_participant"
    NOT_ADMITTED = "not_admitted"
    ROOM_FULL = "room_full"
    ROOM_LOCKED = "room_locked"
    BANNED = "banned"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    CONFLICT = "conflict"
    # Of a refused upgrade (HTTP):
    NO_TOKEN = "no_token"  # noqa: S105 - names of errors, no secrets
    BAD_TOKEN = "bad_token"  # noqa: S105
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"  # noqa: S105
    WRONG_ROOM = "wrong_room"
    BAD_ROOM_NAME = "bad_room_name"
    BAD_SUBPROTOCOL = "bad_subprotocol"
    UPGRADE_REQUIRED = "upgrade_required"
    BITRATE_EXCEEDED = "bitrate_exceeded"
    RECORDING_UNAVAILABLE = "recording_unavailable"
    SHUTTING_DOWN = "shutting_down"
    DRAINING = "draining"


HTTP_STATUS: Final = {
    ErrorCode.BAD_MESSAGE: 400,
    ErrorCode.BAD_OFFER: 400,
    ErrorCode.BAD_SUBPROTOCOL: 400,
    ErrorCode.NO_TOKEN: 401,
    ErrorCode.BAD_TOKEN: 401,
    ErrorCode.TOKEN_EXPIRED: 401,
    ErrorCode.TOKEN_NOT_YET_VALID: 401,
    ErrorCode.WRONG_ROOM: 403,
    ErrorCode.BAD_ROOM_NAME: 403,
    ErrorCode.NOT_ALLOWED: 403,
    ErrorCode.NOT_ADMITTED: 403,
    ErrorCode.ROOM_LOCKED: 403,
    ErrorCode.BANNED: 403,
    ErrorCode.UNKNOWN_TRACK: 404,
    ErrorCode.UNKNOWN_PARTICIPANT: 404,
    ErrorCode.JOIN_TIMEOUT: 408,
    ErrorCode.NOT_JOINED: 409,
    ErrorCode.ALREADY_JOINED: 409,
    ErrorCode.CANNOT_RESUME: 409,
    ErrorCode.CONFLICT: 409,
    ErrorCode.SECTION_BUSY: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.UNKNOWN_SECTION: 422,
    ErrorCode.UNKNOWN_SLOT: 422,
    ErrorCode.WRONG_KIND: 422,
    ErrorCode.UPGRADE_REQUIRED: 426,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.BITRATE_EXCEEDED: 429,
    ErrorCode.ROOM_FULL: 503,
    ErrorCode.RECORDING_UNAVAILABLE: 503,
    ErrorCode.SHUTTING_DOWN: 503,
    ErrorCode.DRAINING: 503,
}
"""How each is said over HTTP: by a refused upgrade, by WHIP and WHEP, by the control API. No code is missing."""

RETRY_AFTER_S: Final = {
    ErrorCode.SHUTTING_DOWN: 2,  # a supervisor has started the next server by then
    ErrorCode.DRAINING: 5,  # the same, or the balancer has taken note
}
"""When it is worth asking again (the header Retry-After), where that does not depend on the request."""


class CloseCode(enum.IntEnum):
    """WebSocket close codes: RFC 6455 section 7.4.1, and 4000 up for our own."""

    NORMAL = 1000
    SLOW_READER = 1008
    TOO_LONG = 1009
    INTERNAL = 1011
    BAD_JOIN = 4000
    TOKEN_EXPIRED = 4001
    JOIN_TIMEOUT = 4003
    REPLACED = 4004
    MEDIA_FAILED = 4005
    REMOVED = 4006
    SENT_BACK = 4007
    RESUMED = 4008
    MOVED = 4009
    SHUTTING_DOWN = 4010
    ENDED = 4011


class LeftReason(enum.Enum):
    """Why a participant is gone, as the others are told."""

    LEFT = "left"
    DISCONNECTED = "disconnected"
    REPLACED = "replaced"
    TIMEOUT = "timeout"
    REMOVED = "removed"
    SENT_BACK = "sent_back"
    MOVED = "moved"
    ENDED = "ended"
