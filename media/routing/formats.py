"""Payload types between signalling and the native core: codec rows of a producer, translation tables of a consumer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from media.rtp.codecs import match_codec
from media.rtp.parameters import MediaKind, RtpCodec

CODECS_MAX: Final = 24
"""As in the native core's rows."""
NO_PAYLOAD_TYPE: Final = 255

_NUMBERS: Final[Mapping[str, int]] = {"opus": 1, "vp8": 2, "h264": 3, "vp9": 4, "av1": 5}
_OTHER_AUDIO: Final = 6
_OTHER_VIDEO: Final = 7

CodecRow = tuple[int, int, int, int, bool]
"""Payload type, codec number, clock rate in Hz, RTX payload type or NO_PAYLOAD_TYPE, whether NACK was negotiated."""


def codec_rows(kind: MediaKind, codecs: Sequence[RtpCodec]) -> list[CodecRow]:
    """Return what the native core must know of each codec of a section. ValueError for more than it can hold."""
    if len(codecs) > CODECS_MAX:
        raise ValueError(f"the section has {len(codecs)} codecs, expected at most {CODECS_MAX}")
    other = _OTHER_AUDIO if kind is MediaKind.AUDIO else _OTHER_VIDEO
    return [
        (
            codec.payload_type,
            _NUMBERS.get(codec.name.lower(), other),
            codec.clock_rate_hz,
            NO_PAYLOAD_TYPE if codec.rtx_payload_type is None else codec.rtx_payload_type,
            "nack" in codec.feedback,
        )
        for codec in codecs
    ]


def payload_tables(produced: Sequence[RtpCodec], offered: Sequence[RtpCodec]) -> tuple[bytes, bytes]:
    """Return the viewer's payload types and their repair (RTX; of sound, RED), by the producer's codec index."""
    types = bytearray([NO_PAYLOAD_TYPE] * CODECS_MAX)
    rtx_types = bytearray([NO_PAYLOAD_TYPE] * CODECS_MAX)
    for index, codec in enumerate(produced):
        match = match_codec(codec, offered)
        if match is not None:
            types[index] = match.payload_type
            repair = match.rtx_payload_type if match.red_payload_type is None else match.red_payload_type
            if repair is not None:
                rtx_types[index] = repair
    return bytes(types), bytes(rtx_types)
