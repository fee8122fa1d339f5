"""From the text of an offer to a SessionDescription."""

from __future__ import annotations

from typing import Final

from media.rtp.parameters import Mid
from signaling.sdp.description import Direction, MediaLine, MediaSection, SessionDescription
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.extmap import parse_extensions
from signaling.sdp.formats import FormatMemo, parse_formats
from signaling.sdp.limits import SdpLimits
from signaling.sdp.lines import Block, Line, split_blocks
from signaling.sdp.streams import parse_streams
from signaling.sdp.tokens import PORT_MAX, parse_mid, parse_number, parse_token, parse_visible
from signaling.sdp.transport import parse_transport

DEFAULT_LIMITS: Final = SdpLimits()

ORIGIN_NUMBER_MAX: Final = 2**64 - 1
"""Session ids and versions are 64 bits (RFC 9429 section 5.2.1)."""
FORMAT_CHARACTERS_MAX: Final = 64
"""The longest in use is "webrtc-datachannel"."""
PROTOCOL_CHARACTERS_MAX: Final = 64


def parse_offer(text: str, limits: SdpLimits = DEFAULT_LIMITS) -> SessionDescription:
    """Return what an offer says; raise SdpError, and nothing else, whatever the text is; time is linear in its length.

    Of the session level, extmap lines are not inherited: no browser writes them there.
    """
    blocks = split_blocks(text, limits)
    session_id, version = _parse_origin(blocks.origin)
    memo: FormatMemo = {}
    sections = tuple(
        _parse_section(index, block, blocks.session, limits, memo) for index, block in enumerate(blocks.media)
    )
    mids = _check_mids(sections)
    return SessionDescription(
        session_id=session_id,
        version=version,
        ice_lite=blocks.session.flag("ice-lite"),
        extmap_allow_mixed=blocks.session.flag("extmap-allow-mixed"),
        bundle_groups=_parse_bundle_groups(blocks.session, mids, limits),
        sections=sections,
    )


def _parse_origin(origin: Line) -> tuple[str, int]:
    fields = origin.value.split()
    if len(fields) != 6:
        raise SdpError(f"o= is {quote(origin.value)}, expected six fields", line=origin.number)
    session_id = parse_number(fields[1], "session id", origin.number, maximum=ORIGIN_NUMBER_MAX)
    return str(session_id), parse_number(fields[2], "session version", origin.number, maximum=ORIGIN_NUMBER_MAX)


def _parse_section(index: int, block: Block, session: Block, limits: SdpLimits, memo: FormatMemo) -> MediaSection:
    line = _parse_media_line(block.heading, limits)
    is_rtp = "RTP" in line.protocol.split("/")
    mid, sctp_port = block.single("mid"), block.single("sctp-port")
    return MediaSection(
        index=index,
        line=line,
        mid=parse_mid(mid.value, mid.line) if mid is not None else None,
        direction=_parse_direction(block) or _parse_direction(session) or Direction.SENDRECV,
        bundle_only=block.flag("bundle-only"),
        transport=parse_transport(block, session, limits),
        formats=parse_formats(line, block, limits, memo) if is_rtp else (),
        extensions=parse_extensions(block, limits),
        extmap_allow_mixed=block.flag("extmap-allow-mixed") or session.flag("extmap-allow-mixed"),
        streams=parse_streams(block, limits),
        sctp_port=(
            parse_number(sctp_port.value, "sctp-port", sctp_port.line, maximum=PORT_MAX)
            if sctp_port is not None
            else None
        ),
    )


def _parse_media_line(line: Line, limits: SdpLimits) -> MediaLine:
    fields = line.value.split()
    if len(fields) < 4:
        raise SdpError(f"m= is {quote(line.value)}, expected media, port, protocol and formats", line=line.number)
    media, port, protocol, *formats = fields
    if len(formats) > limits.formats_per_section:
        raise SdpError(f"m= has more than {limits.formats_per_section} formats", line=line.number)
    return MediaLine(
        number=line.number,
        media=parse_token(media, "media", line.number),
        port=parse_number(port.partition("/")[0], "port", line.number, maximum=PORT_MAX),
        protocol=parse_visible(protocol, "protocol", line.number, characters_max=PROTOCOL_CHARACTERS_MAX),
        formats=tuple(
            parse_visible(text, "format", line.number, characters_max=FORMAT_CHARACTERS_MAX) for text in formats
        ),
    )


def _parse_direction(block: Block) -> Direction | None:
    found = [direction for direction in Direction if block.flag(direction.value)]
    if len(found) > 1:
        second = block.attributes[found[1].value][0]
        raise SdpError(f"a section is both {found[0].value} and {found[1].value}", line=second.line)
    return found[0] if found else None


def _check_mids(sections: tuple[MediaSection, ...]) -> set[Mid]:
    mids: set[Mid] = set()
    for section in sections:
        if section.mid is None:
            continue
        if section.mid in mids:
            raise SdpError(f"mid {quote(section.mid)} stands on two sections", line=section.line.number)
        mids.add(section.mid)
    return mids


def _parse_bundle_groups(session: Block, mids: set[Mid], limits: SdpLimits) -> tuple[tuple[Mid, ...], ...]:
    groups: list[tuple[Mid, ...]] = []
    grouped: set[Mid] = set()
    for attribute in session.every("group", limits.groups):
        semantics, _, names = attribute.value.partition(" ")
        if semantics != "BUNDLE":
            continue
        group = tuple(parse_mid(name, attribute.line) for name in names.split())
        for mid in group:
            if mid not in mids:
                raise SdpError(f"BUNDLE names mid {quote(mid)}, which no section has", line=attribute.line)
            if mid in grouped:
                raise SdpError(f"mid {quote(mid)} is bundled twice", line=attribute.line)
            grouped.add(mid)
        groups.append(group)
    return tuple(groups)
