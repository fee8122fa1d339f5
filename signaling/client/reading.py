"""Frames of the server to messages, with the patience that protocol.md asks for: what is unknown is passed over."""

from __future__ import annotations

from typing import Final

import msgspec

from signaling.protocol import decode_server_message
from signaling.server_messages import AnyServerMessage


class Envelope(msgspec.Struct):
    """As much of a message as even an unknown one has."""

    type: str
    re: int | None = None
    code: str = ""
    message: str = ""


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_MALFORMED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_message(frame: bytes) -> tuple[Envelope, AnyServerMessage | None] | None:
    """Return a message and its envelope, without the message if it is not known here; None for what is none."""
    try:
        envelope = _ENVELOPE.decode(frame)
    except _MALFORMED:
        return None
    try:
        return envelope, decode_server_message(frame)
    except _MALFORMED:
        return envelope, None
