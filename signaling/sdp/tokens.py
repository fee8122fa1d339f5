"""The smallest parts of SDP's grammar: numbers, tokens and identifiers, each refused with its line and value."""

from __future__ import annotations

import re
from typing import Final

from media.rtp.parameters import Mid, PayloadType, Rid, Ssrc
from signaling.sdp.errors import SdpError, quote

PAYLOAD_TYPE_MAX: Final = 127
SSRC_MAX: Final = 2**32 - 1
PORT_MAX: Final = 65_535
IDENTIFIER_CHARACTERS_MAX: Final = 16
"""Of a mid or rid: what an element of the one-byte header extension form carries (RFC 8285 section 4.2)."""

_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_TOKEN: Final = re.compile(r"[!#-'*+\-.0-9A-Z^-~]+")
_RID: Final = re.compile(r"[A-Za-z0-9_-]+")
_VISIBLE: Final = re.compile(r"[!-~]+")


def parse_number(text: str, what: str, line: int | None, *, minimum: int = 0, maximum: int) -> int:
    """Return a decimal number of ASCII digits within a range."""
    if _NUMBER.fullmatch(text) is None:
        raise SdpError(f"{what} is {quote(text)}, expected a number", line=line)
    number = int(text)
    if not minimum <= number <= maximum:
        raise SdpError(f"{what} is {number}, expected {minimum} to {maximum}", line=line)
    return number


def parse_token(text: str, what: str, line: int | None) -> str:
    """Return a token of RFC 8866 section 9: visible ASCII without quotes, brackets, slashes and the like."""
    if _TOKEN.fullmatch(text) is None:
        raise SdpError(f"{what} is {quote(text)}, expected a token", line=line)
    return text


def parse_visible(text: str, what: str, line: int | None, *, characters_max: int) -> str:
    """Return text of visible ASCII characters, at least one."""
    if _VISIBLE.fullmatch(text) is None or len(text) > characters_max:
        raise SdpError(f"{what} is {quote(text)}, expected 1 to {characters_max} visible ASCII characters", line=line)
    return text


def parse_mid(text: str, line: int | None) -> Mid:
    """Return the identification tag of a section (RFC 5888 section 4)."""
    if _TOKEN.fullmatch(text) is None or len(text) > IDENTIFIER_CHARACTERS_MAX:
        raise SdpError(f"mid is {quote(text)}, expected a token of 1 to {IDENTIFIER_CHARACTERS_MAX}", line=line)
    return Mid(text)


def parse_rid(text: str, line: int | None) -> Rid:
    """Return a restriction identifier (RFC 8851 section 10)."""
    if _RID.fullmatch(text) is None or len(text) > IDENTIFIER_CHARACTERS_MAX:
        raise SdpError(f"rid is {quote(text)}, expected 1 to {IDENTIFIER_CHARACTERS_MAX} of A-Z a-z 0-9 - _", line=line)
    return Rid(text)


def parse_payload_type(text: str, line: int | None) -> PayloadType:
    """Return an RTP payload type (RFC 3550 section 5.1)."""
    return PayloadType(parse_number(text, "payload type", line, maximum=PAYLOAD_TYPE_MAX))


def parse_ssrc(text: str, line: int | None) -> Ssrc:
    """Return an SSRC as written in a=ssrc (RFC 5576 section 4.1)."""
    return Ssrc(parse_number(text, "SSRC", line, maximum=SSRC_MAX))


def parse_parameters(text: str, what: str, line: int | None, *, count_max: int) -> dict[str, str]:
    """Return "a=1;b=2; c" as a mapping, names in lower case, the first of equal names; no "=" gives the value ""."""
    parts = text.split(";", count_max)
    if len(parts) > count_max:
        raise SdpError(f"{what} has more than {count_max} parameters", line=line)
    parameters: dict[str, str] = {}
    for part in parts:
        name, _, value = part.strip().partition("=")
        if name:
            parameters.setdefault(name.strip().lower(), value.strip())
    return parameters
