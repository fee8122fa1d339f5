"""Why the server closes a WebSocket (RFC 6455 section 7.4: 4000 to 4999 are an application's own)."""

from __future__ import annotations

import enum


class CloseCode(enum.IntEnum):
    """Why."""

    NORMAL = 1000
    """The client closed."""
    BAD_MESSAGE = 4400
    """The first message was not `auth`, or one was no text or too long."""
    NOT_SIGNED_IN = 4401
    """The token was wrong, or none came in time."""
    EXPIRED = 4403
    """The token has run out, or the account was closed or changed: get a new one, and come back."""
    SLOW_READER = 4408
    """Too much was left unread. Come back, and be told what you missed."""
    TOO_MANY = 4409
    """You have too many connections."""
    SHUTTING_DOWN = 4410
    """The server goes, or is started anew. Come back, in a moment that you choose by chance."""
    INTERNAL = 4500
    """The server failed; its log says why."""
