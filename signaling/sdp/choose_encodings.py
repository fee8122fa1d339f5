"""Which streams of a publishing section are taken: simulcast by rid, declared SSRCs, or one stream known by its mid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from media.rtp.parameters import EncodingParameters, PayloadType, Rid, RtpCodec, Ssrc
from signaling.sdp.description import RidLine, SimulcastStream, StreamLines
from signaling.sdp.errors import SdpError
from signaling.sdp.negotiated import PublishSection

KNOWN_RESTRICTIONS: Final = frozenset(
    {"max-width", "max-height", "max-fps", "max-fs", "max-br", "max-pps", "max-bpp", "depend"}
)
"""Of RFC 8851 section 5. An answer repeats none that its author does not know."""


class ChosenEncodings(NamedTuple):
    """Encodings as the engine wants them, and the lines that answer them, directions seen from us."""

    encodings: tuple[EncodingParameters, ...]
    rids: tuple[RidLine, ...]
    simulcast: tuple[SimulcastStream, ...]


def choose_encodings(streams: StreamLines, codecs: Sequence[RtpCodec], *, encodings_max: int) -> ChosenEncodings:
    """Return what is taken of a section's streams; at least one encoding.

    Rids go before SSRCs: Firefox declares both, and only rids tell which encoding is which.
    """
    rids = _usable_rids(streams.rids, codecs)
    if streams.simulcast is not None:
        taken = _choose_streams(streams.simulcast.send, rids)[:encodings_max]
        if taken:
            return _by_rid([rids[stream[0].rid] for stream in taken], tuple(taken))
    if rids:
        return _by_rid([next(iter(rids.values()))], ())
    has_rtx = any(codec.rtx_payload_type is not None for codec in codecs)
    return ChosenEncodings(_declared(streams, has_rtx=has_rtx)[:encodings_max], (), ())


def check_ssrcs(sections: Iterable[PublishSection]) -> None:
    """Raise SdpError if two streams of one offer have the same SSRC."""
    owners: set[Ssrc] = set()
    for section in sections:
        for encoding in section.producer.encodings:
            for ssrc in (encoding.ssrc, encoding.rtx_ssrc):
                if ssrc is not None and ssrc in owners:
                    raise SdpError(f"SSRC {ssrc} stands for two streams", line=section.offered.line.number)
                if ssrc is not None:
                    owners.add(ssrc)


def _usable_rids(lines: Iterable[RidLine], codecs: Iterable[RtpCodec]) -> dict[Rid, RidLine]:
    """Return the answers to send rids that can use a taken codec; of their pt= lists only taken codecs remain."""
    taken: set[PayloadType] = {codec.payload_type for codec in codecs}
    usable: dict[Rid, RidLine] = {}
    for line in lines:
        payload_types = tuple(number for number in line.payload_types if number in taken)
        if line.sends and (payload_types or not line.payload_types):
            known = {name: value for name, value in line.restrictions.items() if name in KNOWN_RESTRICTIONS}
            usable[line.rid] = RidLine(line.rid, False, payload_types, known)
    return usable


def _choose_streams(offered: Iterable[SimulcastStream], rids: dict[Rid, RidLine]) -> list[SimulcastStream]:
    """Return each stream with the first of its alternatives that is usable, and nothing of one without any."""
    usable = ([encoding for encoding in stream if encoding.rid in rids][:1] for stream in offered)
    return [tuple(stream) for stream in usable if stream]


def _by_rid(rids: Sequence[RidLine], simulcast: tuple[SimulcastStream, ...]) -> ChosenEncodings:
    return ChosenEncodings(tuple(EncodingParameters(rid=line.rid) for line in rids), tuple(rids), simulcast)


def _declared(streams: StreamLines, *, has_rtx: bool) -> tuple[EncodingParameters, ...]:
    """Return encodings from a=ssrc and a=ssrc-group: all of a SIM group, else the first that is nobody's companion.

    An SSRC of 0 declares nothing: engines use it for "unknown".
    """
    pairs = [group.ssrcs for group in streams.source_groups if group.semantics == "FID" and len(group.ssrcs) == 2]
    repairs = dict(pairs) if has_rtx else {}
    simulcast = next((group.ssrcs for group in streams.source_groups if group.semantics == "SIM"), ())
    companions = {ssrc for group in streams.source_groups if group.semantics != "SIM" for ssrc in group.ssrcs[1:]}
    media = simulcast or [source.ssrc for source in streams.sources if source.ssrc not in companions][:1]
    encodings = [EncodingParameters(ssrc=ssrc, rtx_ssrc=repairs.get(ssrc) or None) for ssrc in media if ssrc]
    return tuple(encodings) or (EncodingParameters(),)
