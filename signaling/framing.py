"""Text frames of a server as they stand on the wire (RFC 6455 section 5.2): whole, without a mask, not compressed."""

from __future__ import annotations

import struct
from typing import Final

_WHOLE_TEXT: Final = 0x81  # FIN, opcode 1
_SHORT_MAX: Final = 125
_MIDDLE_MAX: Final = 0xFFFF
_pack_middle: Final = struct.Struct(">BBH").pack
_pack_long: Final = struct.Struct(">BBQ").pack


def frame_head(size_bytes: int) -> bytes:
    """Return what stands before the payload of a text frame."""
    if size_bytes <= _SHORT_MAX:
        return bytes((_WHOLE_TEXT, size_bytes))
    if size_bytes <= _MIDDLE_MAX:
        return _pack_middle(_WHOLE_TEXT, 126, size_bytes)
    return _pack_long(_WHOLE_TEXT, 127, size_bytes)
