"""Which of a section's payload types are taken, with which feedback and retransmission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from media.rtp.codecs import is_forwarded
from media.rtp.extensions import TRANSPORT_SEQUENCE
from media.rtp.parameters import MediaKind, PayloadType, RtpCodec
from signaling.sdp.description import HeaderExtension, MediaSection, PayloadFormat
from signaling.sdp.errors import SdpError
from signaling.sdp.negotiated import AcceptedSection, codecs_of

TRANSPORT_FEEDBACK: Final = "transport-cc"
RECEIVER_ESTIMATE: Final = "goog-remb"
"""The viewer estimates by itself (draft-alvestrand-rmcat-remb): taken where it cannot report numbers."""
VIDEO_FEEDBACK: Final = frozenset({"nack", "nack pli", "ccm fir"})
SOUND_FEEDBACK: Final = frozenset({"nack"})
"""Of who only sends: what he loses is late for all who listen. Toward a listener we repeat sound unasked (RED)."""

_RTX: Final = "rtx"
_RED: Final = "red"
_RTCP_LOOKALIKES: Final = range(64, 96)
"""Payload types that, with the marker bit, have the first bytes of RTCP packets (RFC 5761 section 4)."""


def choose_codecs(
    section: MediaSection, kind: MediaKind, extensions: Iterable[HeaderExtension]
) -> tuple[RtpCodec, ...]:
    """Return the taken codecs in the order of the offer; `extensions` are those taken for the same section."""
    feedback: set[str] = set()
    if kind is MediaKind.VIDEO:
        feedback.update(VIDEO_FEEDBACK)
    elif not section.direction.receives:
        feedback.update(SOUND_FEEDBACK)
    numbered = any(extension.uri == TRANSPORT_SEQUENCE for extension in extensions)
    if numbered and any(TRANSPORT_FEEDBACK in offered.feedback for offered in section.formats):
        feedback.add(TRANSPORT_FEEDBACK)
    elif not section.direction.sends:
        feedback.add(RECEIVER_ESTIMATE)
    usable = [offered for offered in section.formats if offered.payload_type not in _RTCP_LOOKALIKES]
    repairs = _find_retransmissions(usable)
    # From a publisher we take plain sound: what we repeat to whom, his losses do not decide.
    redundant = {} if section.direction.sends else _find_redundancy(usable)
    codecs = (
        RtpCodec(
            name=offered.name,
            payload_type=offered.payload_type,
            clock_rate_hz=offered.clock_rate_hz,
            channels=offered.channels,
            fmtp=offered.parameters,
            feedback=frozenset(feedback.intersection(offered.feedback)),
            rtx_payload_type=repairs.get((offered.payload_type, offered.clock_rate_hz)),
            red_payload_type=redundant.get(offered.payload_type) if kind is MediaKind.AUDIO else None,
        )
        for offered in usable
    )
    return tuple(codec for codec in codecs if is_forwarded(kind, codec))


def check_payload_types(sections: Iterable[AcceptedSection]) -> None:
    """Raise SdpError if a payload type means different codecs in two sections of one BUNDLE (RFC 9143 section 9.1)."""
    meanings: dict[PayloadType, tuple[str, int]] = {}
    for section in sections:
        for payload_type, meaning in _meanings(codecs_of(section)).items():
            known = meanings.setdefault(payload_type, meaning)
            if known != meaning:
                raise SdpError(
                    f"payload type {payload_type} is {known[0]}/{known[1]} and {meaning[0]}/{meaning[1]} in one BUNDLE",
                    line=section.offered.line.number,
                )


def _find_retransmissions(formats: Iterable[PayloadFormat]) -> Mapping[tuple[PayloadType, int], PayloadType]:
    """Return RTX payload types by what they repair: payload type and clock rate (RFC 4588 section 8)."""
    repairs: dict[tuple[PayloadType, int], PayloadType] = {}
    for offered in formats:
        repaired = offered.parameters.get("apt", "")
        if offered.name.lower() == _RTX and repaired.isascii() and repaired.isdigit() and len(repaired) <= 3:
            repairs.setdefault((PayloadType(int(repaired)), offered.clock_rate_hz), offered.payload_type)
    return repairs


def _find_redundancy(formats: Iterable[PayloadFormat]) -> Mapping[PayloadType, PayloadType]:
    """Return RED payload types by the one that all of their blocks are of (RFC 2198 section 5)."""
    known = {offered.payload_type: offered for offered in formats}
    found: dict[PayloadType, PayloadType] = {}
    for offered in formats:
        blocks = next(iter(offered.parameters), "").split("/")
        if offered.name.lower() != _RED or not blocks[0].isascii() or not blocks[0].isdigit() or len(blocks[0]) > 3:
            continue
        primary = known.get(PayloadType(int(blocks[0])))
        if len(set(blocks)) == 1 and primary is not None and primary.clock_rate_hz == offered.clock_rate_hz:
            found.setdefault(primary.payload_type, offered.payload_type)
    return found


def _meanings(codecs: Iterable[RtpCodec]) -> dict[PayloadType, tuple[str, int]]:
    meanings: dict[PayloadType, tuple[str, int]] = {}
    for codec in codecs:
        meanings[codec.payload_type] = (codec.name.lower(), codec.clock_rate_hz)
        if codec.rtx_payload_type is not None:
            meanings[codec.rtx_payload_type] = (_RTX, codec.clock_rate_hz)
        if codec.red_payload_type is not None:
            meanings[codec.red_payload_type] = (_RED, codec.clock_rate_hz)
    return meanings
