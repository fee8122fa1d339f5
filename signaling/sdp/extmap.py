"""RTP header extensions of a section: a=extmap (RFC 8285 sections 5 and 8)."""

from __future__ import annotations

from typing import Final

from signaling.sdp.description import Direction, HeaderExtension
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.limits import SdpLimits
from signaling.sdp.lines import Attribute, Block
from signaling.sdp.tokens import parse_number, parse_visible

OFFERED_ID_MAX: Final = 4_351
"""Ids from 4096 on let an offer name more extensions than packets have ids (RFC 8285 section 7)."""
URI_CHARACTERS_MAX: Final = 255
"""The longest in use is 81."""


def parse_extensions(section: Block, limits: SdpLimits) -> tuple[HeaderExtension, ...]:
    """Return the extensions in order; an id may stand once."""
    extensions: dict[int, HeaderExtension] = {}
    for attribute in section.every("extmap", limits.extensions_per_section):
        extension = _parse_extension(attribute)
        if extension.id in extensions:
            raise SdpError(f"header extension id {extension.id} stands twice in a section", line=attribute.line)
        extensions[extension.id] = extension
    return tuple(extensions.values())


def _parse_extension(attribute: Attribute) -> HeaderExtension:
    fields = attribute.value.split(maxsplit=2)
    if len(fields) < 2:
        raise SdpError(f"extmap is {quote(attribute.value)}, expected an id and a URI", line=attribute.line)
    number, slash, direction = fields[0].partition("/")
    return HeaderExtension(
        id=parse_number(number, "header extension id", attribute.line, minimum=1, maximum=OFFERED_ID_MAX),
        uri=parse_visible(fields[1], "header extension URI", attribute.line, characters_max=URI_CHARACTERS_MAX),
        direction=_parse_direction(direction, attribute) if slash else Direction.SENDRECV,
    )


def _parse_direction(text: str, attribute: Attribute) -> Direction:
    try:
        return Direction(text)
    except ValueError:
        raise SdpError(f"header extension direction is {quote(text)}", line=attribute.line) from None
