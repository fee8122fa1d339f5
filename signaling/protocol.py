"""Bytes to messages and back: the only place where the JSON of the protocol is read and written."""

from __future__ import annotations

from typing import Final

import msgspec

from signaling.client_messages import AnyClientMessage, RequestId
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.server_messages import AnyServerMessage, ServerMessage

SUBPROTOCOL: Final = "halqa.v1"

FRAME_BYTES_MAX: Final = 256 * 1024
"""The largest offer that Chromium makes for 64 sections is about 100 KB."""

FRAME_BYTES_TAKEN_MAX: Final = 2 * 1024 * 1024
"""Up to here a frame that is too long is read and refused in order; a longer one cuts the connection."""

REASON_CHARACTERS_MAX: Final = 300
"""A value that we refuse may be long; the sentence about it may not."""


class _Envelope(msgspec.Struct):
    """Enough of a message that is otherwise not understood to answer it."""

    id: RequestId | None = None


_CLIENT_DECODER: Final = msgspec.json.Decoder(AnyClientMessage)
_SERVER_DECODER: Final = msgspec.json.Decoder(AnyServerMessage)
_ENVELOPE_DECODER: Final = msgspec.json.Decoder(_Envelope)
_ENCODER: Final = msgspec.json.Encoder()


def decode_client_message(frame: bytes) -> AnyClientMessage:
    """Return the message in one text frame, or raise RequestError (`bad_message`) with a sentence that says why."""
    try:
        message: AnyClientMessage = _CLIENT_DECODER.decode(frame)
        return message
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 at byte {error.start} of a text"
    except RecursionError:
        reason = "nested too deeply"
    except msgspec.MsgspecError as error:
        reason = str(error)
    raise RequestError(ErrorCode.BAD_MESSAGE, f"message is not understood: {reason[:REASON_CHARACTERS_MAX]}")


def peek_request_id(frame: bytes) -> int | None:
    """Return the `id` of a message that `decode_client_message` refused, None if it has no usable one."""
    try:
        return _ENVELOPE_DECODER.decode(frame).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def decode_server_message(frame: bytes) -> AnyServerMessage:
    """Return what a server said; for clients in Python and for tests. Raises msgspec.MsgspecError."""
    message: AnyServerMessage = _SERVER_DECODER.decode(frame)
    return message


def encode_message(message: ServerMessage) -> bytes:
    """Return the text frame of one message; made once, however many get it."""
    return _ENCODER.encode(message)
