"""Which streams a section's author sends: a=msid, a=ssrc, a=ssrc-group (RFC 8830, RFC 5576), rids and simulcast."""

from __future__ import annotations

from typing import Final

from media.rtp.parameters import Ssrc
from signaling.sdp.description import MediaStreamId, Source, SourceGroup, StreamLines
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.limits import SdpLimits
from signaling.sdp.lines import Attribute, Block
from signaling.sdp.simulcast import parse_rids, parse_simulcast
from signaling.sdp.tokens import parse_ssrc, parse_token, parse_visible

MSID_CHARACTERS_MAX: Final = 256
"""RFC 8830 allows 64; browsers take any."""
ATTRIBUTES_PER_SOURCE_MAX: Final = 8
"""cname, msid, mslabel and label are all that was ever in use."""


def parse_streams(section: Block, limits: SdpLimits) -> StreamLines:
    """Return what the section says of the streams that its author sends."""
    return StreamLines(
        msids=tuple(_parse_msid(attribute) for attribute in section.every("msid", limits.msids_per_section)),
        sources=_parse_sources(section, limits),
        source_groups=tuple(
            _parse_group(attribute, limits)
            for attribute in section.every("ssrc-group", limits.source_groups_per_section)
        ),
        rids=parse_rids(section, limits),
        simulcast=parse_simulcast(section, limits),
    )


def _parse_msid(attribute: Attribute) -> MediaStreamId:
    fields = attribute.value.split()
    if len(fields) not in (1, 2):
        raise SdpError(f"msid is {quote(attribute.value)}, expected one or two identifiers", line=attribute.line)
    stream, track = fields[0], fields[1] if len(fields) == 2 else None
    for identifier in fields:
        parse_visible(identifier, "msid", attribute.line, characters_max=MSID_CHARACTERS_MAX)
    return MediaStreamId(stream, track)


def _parse_sources(section: Block, limits: SdpLimits) -> tuple[Source, ...]:
    """Return the sources in order of their first lines."""
    sources: dict[Ssrc, dict[str, str]] = {}
    for attribute in section.every("ssrc", limits.sources_per_section * ATTRIBUTES_PER_SOURCE_MAX):
        number, _, rest = attribute.value.partition(" ")
        attributes = sources.setdefault(parse_ssrc(number, attribute.line), {})
        if len(sources) > limits.sources_per_section:
            raise SdpError(f"a section has more than {limits.sources_per_section} SSRCs", line=attribute.line)
        name, _, value = rest.strip().partition(":")
        if name:
            attributes.setdefault(parse_token(name, "attribute of an SSRC", attribute.line), value)
    return tuple(Source(ssrc, attributes) for ssrc, attributes in sources.items())


def _parse_group(attribute: Attribute, limits: SdpLimits) -> SourceGroup:
    semantics, _, rest = attribute.value.partition(" ")
    ssrcs = tuple(parse_ssrc(text, attribute.line) for text in rest.split())
    if len(ssrcs) > limits.sources_per_section or len(set(ssrcs)) != len(ssrcs):
        raise SdpError(f"ssrc-group is {quote(attribute.value)}, expected distinct SSRCs", line=attribute.line)
    return SourceGroup(parse_token(semantics, "semantics of an ssrc-group", attribute.line), ssrcs)
