"""`application/trickle-ice-sdpfrag` (RFC 8840 section 9): what a PATCH says, and what answers an ICE restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from media.rtp.parameters import IceCredentials, Mid
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.limits import SdpLimits
from signaling.sdp.lines import Attribute, Block, Line, split_lines
from signaling.sdp.tokens import parse_mid
from signaling.sdp.transport import parse_transport

_LIMITS: Final = SdpLimits(size_characters=64 * 1024, lines=1_000, sections=64)
_CREDENTIALS: Final = re.compile(r"^a=ice-(ufrag|pwd):[^\r\n]*", re.MULTILINE)
_ANSWERED: Final = ("a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates")


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a client sends after its offer."""

    ice: IceCredentials | None
    """Those of the generation that it speaks of; None if it does not say."""
    mids: tuple[Mid, ...]
    """Sections that are named."""
    candidates: int
    """How many there are: an ICE-lite server has no use for them."""


def parse_fragment(text: str) -> Fragment:
    """Return what a fragment says; SdpError if it breaks the grammar or has two pairs of credentials."""
    session, sections = _split(text)
    transports = [parse_transport(section, session, _LIMITS) for section in sections or [session]]
    credentials = {transport.ice for transport in transports if transport.ice is not None}
    if len(credentials) > 1:
        raise SdpError("the fragment has two pairs of a=ice-ufrag and a=ice-pwd, but one transport carries all")
    mids = [parse_mid(attribute.value, attribute.line) for section in sections if (attribute := section.single("mid"))]
    return Fragment(
        ice=next(iter(credentials), None),
        mids=tuple(mids),
        candidates=sum(len(transport.candidates) for transport in transports),
    )


def build_fragment(answer: str) -> str:
    """Return the ICE part of one of our answers, CRLF after each line."""
    return "".join(f"{line}\r\n" for line in _ice_lines(answer))


def renew_credentials(offer: str, ice: IceCredentials) -> str:
    """Return an offer as it would be after an ICE restart, in all its sections."""
    values = {"ufrag": ice.ufrag, "pwd": ice.password}
    return _CREDENTIALS.sub(lambda match: f"a=ice-{match[1]}:{values[match[1]]}", offer)


def _split(text: str) -> tuple[Block, list[Block]]:
    session = block = Block(Line(0, "", ""))
    sections: list[Block] = []
    for line in split_lines(text, _LIMITS):
        if line.kind == "m":
            block = Block(line)
            sections.append(block)
            if len(sections) > _LIMITS.sections:
                raise SdpError(f"there are more than {_LIMITS.sections} sections", line=line.number)
        elif line.kind == "a":
            name, _, value = line.value.partition(":")
            block.attributes.setdefault(name, []).append(Attribute(line.number, value))
        else:
            raise SdpError(f"the line begins with {quote(line.kind)}, expected a= or m=", line=line.number)
    return session, sections


def _ice_lines(answer: str) -> Iterator[str]:
    """Yield what holds for all of a BUNDLE group: session lines, and the first section that is not rejected."""
    in_section = False
    for line in answer.splitlines():
        if line.startswith("m="):
            if in_section:
                return
            in_section = line.split(" ")[1] != "0"
            if in_section:
                yield line
        elif line.startswith(_ANSWERED if in_section else ("a=ice-lite", "a=group:BUNDLE")):
            yield line
