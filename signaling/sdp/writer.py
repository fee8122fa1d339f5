"""From decisions to the text of the answer (RFC 9429 section 5.3)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final

from media.errors import LocalError
from media.rtp.parameters import LocalTransport, Mid, RtpCodec
from signaling.sdp.description import Direction, HeaderExtension
from signaling.sdp.negotiated import (
    AcceptedSection,
    IdleSection,
    NegotiatedOffer,
    PublishSection,
    RejectedSection,
    SlotSection,
    SlotSsrcs,
    codecs_of,
)
from signaling.sdp.simulcast import build_rid, build_streams

ANSWERED_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "h264": frozenset({"profile-level-id", "packetization-mode", "level-asymmetry-allowed"}),
    "vp9": frozenset({"profile-id"}),
    "av1": frozenset({"profile", "level-idx", "tier"}),
    "opus": frozenset({"minptime", "useinbandfec", "usedtx", "stereo", "sprop-stereo", "maxplaybackrate"}),
}
"""What names a variant of a codec, or what opus decoders everywhere want. The others are limits of the peer's own
decoder (Firefox: VP8 max-fs=12288): repeated in our answer they would bind its encoder."""

_DISCARD_PORT: Final = 9
"""For "no address yet" (RFC 8840 section 4.1.1)."""
_FEEDBACK_ORDER: Final = ("transport-cc", "goog-remb", "ccm fir", "nack", "nack pli")


def write_answer(
    negotiated: NegotiatedOffer,
    local: LocalTransport,
    slots: Mapping[Mid, SlotSsrcs],
    *,
    session_id: int = 1,
    version: int = 1,
) -> str:
    """Return the answer, CRLF after each line. `slots` has an entry for each SlotSection, or LocalError is raised.

    `session_id` stays for the life of a connection; `version` grows by one with each of its answers (RFC 3264
    section 8).
    """
    lines = [*_session_lines(negotiated, session_id, version)]
    tagged = _tagged_mid(negotiated)
    for section in negotiated.sections:
        if isinstance(section, RejectedSection):
            lines += _rejected_lines(section)
        else:
            lines += _accepted_lines(section, negotiated, local)
            if isinstance(section, SlotSection):
                lines += _slot_lines(section, slots)
            if section.mid == tagged:
                lines += _candidate_lines(local)
    return "".join(f"{line}\r\n" for line in lines)


def _session_lines(negotiated: NegotiatedOffer, session_id: int, version: int) -> Iterator[str]:
    yield from ("v=0", f"o=- {session_id} {version} IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite")
    if negotiated.bundle:
        yield f"a=group:BUNDLE {' '.join(negotiated.bundle)}"
    if negotiated.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    yield "a=msid-semantic: WMS *"


def _tagged_mid(negotiated: NegotiatedOffer) -> Mid:
    """Return the section whose address and candidates hold for all (RFC 9143 section 7.3.1)."""
    return negotiated.bundle[0] if negotiated.bundle else negotiated.accepted[0].mid


def _rejected_lines(section: RejectedSection) -> Iterator[str]:
    """A rejected section keeps its place and its formats; port 0 says the rest (RFC 3264 section 6)."""
    line = section.offered.line
    yield f"m={line.media} 0 {line.protocol} {' '.join(line.formats)}"
    yield "c=IN IP4 0.0.0.0"
    if section.mid is not None:
        yield f"a=mid:{section.mid}"
    yield "a=inactive"


def _accepted_lines(section: AcceptedSection, negotiated: NegotiatedOffer, local: LocalTransport) -> Iterator[str]:
    codecs = codecs_of(section)
    line = section.offered.line
    address, port = _default_address(local)
    yield f"m={line.media} {port} {line.protocol} {' '.join(_payload_types(codecs))}"
    yield f"c=IN {address}"
    yield f"a=mid:{section.mid}"
    yield f"a={_direction(section).value}"
    yield f"a=ice-ufrag:{local.ice.ufrag}"
    yield f"a=ice-pwd:{local.ice.password}"
    yield f"a=fingerprint:{local.fingerprint.algorithm} {local.fingerprint.value}"
    yield f"a=setup:{negotiated.setup.value}"
    yield "a=rtcp-mux"
    if section.offered.transport.rtcp_reduced_size:
        yield "a=rtcp-rsize"
    if section.offered.extmap_allow_mixed and not negotiated.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    for extension in section.extensions:
        yield _extension_line(extension)
    for codec in codecs:
        yield from _codec_lines(codec)
    if isinstance(section, PublishSection):
        yield from (f"a=rid:{build_rid(rid)}" for rid in section.rids)
        if section.simulcast:
            yield f"a=simulcast:recv {build_streams(section.simulcast)}"


def _direction(section: AcceptedSection) -> Direction:
    match section:
        case PublishSection():
            return Direction.RECVONLY
        case SlotSection():
            return Direction.SENDONLY
        case IdleSection():
            return Direction.INACTIVE


def _payload_types(codecs: tuple[RtpCodec, ...]) -> Iterator[str]:
    for codec in codecs:
        yield str(codec.payload_type)
        if codec.rtx_payload_type is not None:
            yield str(codec.rtx_payload_type)
        if codec.red_payload_type is not None:
            yield str(codec.red_payload_type)


def _extension_line(extension: HeaderExtension) -> str:
    direction = "" if extension.direction is Direction.SENDRECV else f"/{extension.direction.value}"
    return f"a=extmap:{extension.id}{direction} {extension.uri}"


def _codec_lines(codec: RtpCodec) -> Iterator[str]:
    payload_type = codec.payload_type
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    yield f"a=rtpmap:{payload_type} {codec.name}/{codec.clock_rate_hz}{channels}"
    for message in _FEEDBACK_ORDER:
        if message in codec.feedback:
            yield f"a=rtcp-fb:{payload_type} {message}"
    answered = ANSWERED_PARAMETERS.get(codec.name.lower(), frozenset())
    parameters = [f"{name}={value}" for name, value in codec.fmtp.items() if name in answered]
    if parameters:
        yield f"a=fmtp:{payload_type} {';'.join(parameters)}"
    if codec.rtx_payload_type is not None:
        yield f"a=rtpmap:{codec.rtx_payload_type} rtx/{codec.clock_rate_hz}"
        yield f"a=fmtp:{codec.rtx_payload_type} apt={payload_type}"
    if codec.red_payload_type is not None:
        yield f"a=rtpmap:{codec.red_payload_type} red/{codec.clock_rate_hz}{channels}"
        yield f"a=fmtp:{codec.red_payload_type} {payload_type}/{payload_type}"


def _slot_lines(section: SlotSection, slots: Mapping[Mid, SlotSsrcs]) -> Iterator[str]:
    """The slot's own stream and track, and the SSRCs that it keeps whatever flows through it."""
    ssrcs = slots.get(section.mid)
    if ssrcs is None:
        raise LocalError(f"slot {section.mid} has no SSRCs to announce")
    name = f"slot-{section.mid}"
    yield f"a=msid:{name} {name}"
    announced = [ssrcs.ssrc]
    if ssrcs.rtx_ssrc is not None and any(codec.rtx_payload_type is not None for codec in section.consumer.codecs):
        announced.append(ssrcs.rtx_ssrc)
        yield f"a=ssrc-group:FID {ssrcs.ssrc} {ssrcs.rtx_ssrc}"
    for ssrc in announced:
        yield f"a=ssrc:{ssrc} cname:{ssrcs.cname}"
        yield f"a=ssrc:{ssrc} msid:{name} {name}"


def _candidate_lines(local: LocalTransport) -> Iterator[str]:
    for candidate in local.candidates:
        where = f"{candidate.address} {candidate.port}"
        yield f"a=candidate:{candidate.foundation} 1 udp {candidate.priority} {where} typ host"
    yield "a=end-of-candidates"


def _default_address(local: LocalTransport) -> tuple[str, int]:
    """Return what stands in c= after "IN", and the port of m=: those of the first candidate."""
    if not local.candidates:
        return "IP4 0.0.0.0", _DISCARD_PORT
    first = local.candidates[0]
    return f"IP{ipaddress.ip_address(first.address).version} {first.address}", first.port
