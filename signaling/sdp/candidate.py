"""One ICE candidate, from a=candidate or from a trickled message (RFC 8839 section 5.1)."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from signaling.sdp.description import RemoteCandidate
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.tokens import PORT_MAX, parse_number, parse_token

CANDIDATE_CHARACTERS_MAX: Final = 1_024
"""Browsers write about 150."""

_FOUNDATION: Final = re.compile(r"[A-Za-z0-9+/]{1,32}")
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252})")
_COMPONENT_MAX: Final = 256
_PRIORITY_MAX: Final = 2**32 - 1
"""RFC 8445 section 5.1.2 ends at 2^31 - 1; real clients have gone beyond, and we do not compare priorities."""
_FIXED_FIELDS: Final = 8
"""Foundation, component, transport, priority, address, port, "typ" and the type."""


def parse_candidate(text: str, *, line: int | None = None) -> RemoteCandidate:
    """Return the candidate in "candidate:..." ("a=" may stand before it); raise SdpError if it breaks the grammar."""
    if len(text) > CANDIDATE_CHARACTERS_MAX:
        raise SdpError(f"a candidate is longer than {CANDIDATE_CHARACTERS_MAX} characters", line=line)
    fields = text.removeprefix("a=").removeprefix("candidate:").split()
    if len(fields) < _FIXED_FIELDS or len(fields) % 2 != 0 or fields[6] != "typ":
        raise SdpError(
            f"candidate is {quote(text)}, expected foundation, component, transport, priority, address, port, "
            "typ, type, and pairs after them",
            line=line,
        )
    if _FOUNDATION.fullmatch(fields[0]) is None:
        raise SdpError(f"candidate foundation is {quote(fields[0])}, expected 1 to 32 of A-Z a-z 0-9 + /", line=line)
    return RemoteCandidate(
        foundation=fields[0],
        component=parse_number(fields[1], "candidate component", line, minimum=1, maximum=_COMPONENT_MAX),
        transport=parse_token(fields[2], "candidate transport", line).lower(),
        priority=parse_number(fields[3], "candidate priority", line, maximum=_PRIORITY_MAX),
        address=_parse_address(fields[4], line),
        port=parse_number(fields[5], "candidate port", line, maximum=PORT_MAX),
        type=parse_token(fields[7], "candidate type", line),
        attributes=dict(zip(fields[_FIXED_FIELDS::2], fields[_FIXED_FIELDS + 1 :: 2], strict=True)),
    )


def _parse_address(text: str, line: int | None) -> str:
    looks_numeric = ":" in text or text.replace(".", "").isdigit()
    if looks_numeric:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise SdpError(f"candidate address is {quote(text)}, expected an IP address", line=line) from None
    elif _NAME.fullmatch(text) is None:
        raise SdpError(f"candidate address is {quote(text)}, expected an IP address or a name", line=line)
    return text
