"""From text to lines, and from lines to the session's block and one block for each m= line (RFC 8866 section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from signaling.sdp.errors import SdpError, quote
from signaling.sdp.limits import SdpLimits

_SESSION_KINDS: Final = frozenset("vosiuepcbtrzkam")
_MEDIA_KINDS: Final = frozenset("icbkam")
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls except tab and line ends, and halves of surrogate pairs: nothing that we repeat may hold them."""


class Line(NamedTuple):
    """One line: its number from 1, the letter before "=", and what follows."""

    number: int
    kind: str
    value: str


class Attribute(NamedTuple):
    """One a= line: its number from 1, and what follows the colon ("" for a flag)."""

    line: int
    value: str


@dataclass(slots=True)
class Block:
    """The lines up to the first m= line, or from one m= line to the next."""

    heading: Line
    """v= or m=."""
    attributes: dict[str, list[Attribute]] = field(default_factory=dict)
    """By name, in order."""

    def flag(self, name: str) -> bool:
        """Return whether a=name is there."""
        return name in self.attributes

    def single(self, name: str) -> Attribute | None:
        """Return a=name; more than one of it contradict each other."""
        found = self.attributes.get(name)
        if found is None:
            return None
        if len(found) > 1:
            raise SdpError(f"a={name} stands twice in a section, first in line {found[0].line}", line=found[1].line)
        return found[0]

    def every(self, name: str, count_max: int) -> list[Attribute]:
        """Return all a=name in order, at most so many."""
        found = self.attributes.get(name, [])
        if len(found) > count_max:
            raise SdpError(f"a section has more than {count_max} lines a={name}", line=found[count_max].line)
        return found


class Blocks(NamedTuple):
    """A whole description."""

    origin: Line
    session: Block
    media: tuple[Block, ...]


def split_blocks(text: str, limits: SdpLimits) -> Blocks:
    """Return the blocks of a text that is checked for size, characters, and the form of its lines."""
    lines = iter(split_lines(text, limits))
    version = next(lines, Line(1, "", ""))
    if (version.kind, version.value) != ("v", "0"):
        raise SdpError(f"the first line is {quote(version.kind + '=' + version.value)}, expected v=0", line=1)
    origin = next(lines, Line(2, "", ""))
    if origin.kind != "o":
        raise SdpError(f"the second line is {quote(origin.kind + '=' + origin.value)}, expected o=", line=2)
    session, *media = _group(version, lines, limits)
    return Blocks(origin, session, tuple(media))


def split_lines(text: str, limits: SdpLimits) -> list[Line]:
    """Return the lines of a text; they may end in CRLF or LF, the last in nothing."""
    if len(text) > limits.size_characters:
        raise SdpError(f"the SDP is {len(text)} characters, expected at most {limits.size_characters}")
    if text.count("\n") > limits.lines:
        raise SdpError(f"the SDP is longer than {limits.lines} lines")
    if unprintable := _UNPRINTABLE.search(text):
        at = text.count("\n", 0, unprintable.start()) + 1
        raise SdpError(f"the character {quote(unprintable.group())} may not stand in SDP", line=at)
    raw_lines = text.rstrip("\r\n").split("\n")
    return [_split_line(number, raw, limits) for number, raw in enumerate(raw_lines, start=1)]


def _split_line(number: int, raw: str, limits: SdpLimits) -> Line:
    raw = raw.removesuffix("\r")
    if len(raw) > limits.line_characters:
        raise SdpError(f"it is {len(raw)} characters, expected at most {limits.line_characters}", line=number)
    if raw[1:2] != "=" or "\r" in raw:
        raise SdpError(f"it is {quote(raw)}, expected a letter, = and a value", line=number)
    return Line(number, raw[0], raw[2:])


def _group(version: Line, lines: Iterable[Line], limits: SdpLimits) -> list[Block]:
    block = Block(version)
    blocks = [block]
    kinds = _SESSION_KINDS
    attributes = 0
    for line in lines:
        if line.kind not in kinds:
            raise SdpError(f"{quote(line.kind)} is not a kind of line that may stand here", line=line.number)
        if line.kind == "m":
            if len(blocks) > limits.sections:
                raise SdpError(f"there are more than {limits.sections} sections", line=line.number)
            block = Block(line)
            blocks.append(block)
            kinds = _MEDIA_KINDS
            attributes = 0
        elif line.kind == "a":
            attributes += 1
            if attributes > limits.attributes_per_section:
                raise SdpError(f"a section has more than {limits.attributes_per_section} attributes", line=line.number)
            name, _, value = line.value.partition(":")
            block.attributes.setdefault(name, []).append(Attribute(line.number, value))
    return blocks


def inherit(
    section: Mapping[str, list[Attribute]], session: Mapping[str, list[Attribute]], name: str
) -> list[Attribute]:
    """Return the section's lines of a name, or else the session's (RFC 8866 section 5.13)."""
    return section.get(name) or session.get(name) or []
