"""What a section says of its transport: ICE, certificate, DTLS side, RTCP (RFC 8839, RFC 8122, RFC 8842, RFC 5761)."""

from __future__ import annotations

import re
from typing import Final

from media.rtp.parameters import Fingerprint, IceCredentials
from signaling.sdp.candidate import parse_candidate
from signaling.sdp.description import Setup, TransportLines
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.limits import SdpLimits
from signaling.sdp.lines import Attribute, Block, inherit
from signaling.sdp.tokens import parse_token

_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
_HEX_PAIRS: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){0,63}")
_DIGEST_BYTES: Final = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}


def parse_transport(section: Block, session: Block, limits: SdpLimits) -> TransportLines:
    """Return the section's transport lines, those of the session level where it has none."""
    fingerprints = inherit(section.attributes, session.attributes, "fingerprint")
    if len(fingerprints) > limits.fingerprints_per_section:
        raise SdpError(
            f"there are more than {limits.fingerprints_per_section} fingerprints", line=fingerprints[-1].line
        )
    setup = section.single("setup") or session.single("setup")
    options = section.single("ice-options") or session.single("ice-options")
    return TransportLines(
        ice=_parse_ice(section) or _parse_ice(session),
        ice_options=frozenset(options.value.split()) if options is not None else frozenset(),
        fingerprints=tuple(_parse_fingerprint(attribute) for attribute in fingerprints),
        setup=_parse_setup(setup) if setup is not None else None,
        rtcp_mux=section.flag("rtcp-mux") or section.flag("rtcp-mux-only"),
        rtcp_reduced_size=section.flag("rtcp-rsize"),
        candidates=tuple(
            parse_candidate(attribute.value, line=attribute.line)
            for attribute in section.every("candidate", limits.candidates_per_section)
        ),
        end_of_candidates=section.flag("end-of-candidates"),
    )


def _parse_ice(block: Block) -> IceCredentials | None:
    """Return the credentials; ufrag and password come together or not at all (RFC 8839 section 5.4)."""
    ufrag, password = block.single("ice-ufrag"), block.single("ice-pwd")
    if ufrag is None and password is None:
        return None
    if ufrag is None or password is None:
        given = ufrag or password
        raise SdpError("a=ice-ufrag and a=ice-pwd must stand together", line=given.line if given else None)
    if _UFRAG.fullmatch(ufrag.value) is None:
        raise SdpError(f"ice-ufrag is {quote(ufrag.value)}, expected 4 to 256 of A-Z a-z 0-9 + /", line=ufrag.line)
    if _PASSWORD.fullmatch(password.value) is None:  # a secret: not quoted
        raise SdpError(f"ice-pwd of {len(password.value)} is not 22 to 256 of A-Z a-z 0-9 + /", line=password.line)
    return IceCredentials(ufrag.value, password.value)


def _parse_fingerprint(attribute: Attribute) -> Fingerprint:
    algorithm, _, value = attribute.value.strip().partition(" ")
    algorithm = parse_token(algorithm, "fingerprint algorithm", attribute.line).lower()
    value = value.strip().upper()
    if _HEX_PAIRS.fullmatch(value) is None:
        raise SdpError(f"fingerprint is {quote(value)}, expected hex pairs between colons", line=attribute.line)
    size_bytes = (len(value) + 1) // 3
    expected_bytes = _DIGEST_BYTES.get(algorithm, size_bytes)
    if size_bytes != expected_bytes:
        raise SdpError(f"{algorithm} fingerprint is {size_bytes} bytes, expected {expected_bytes}", line=attribute.line)
    return Fingerprint(algorithm, value)


def _parse_setup(attribute: Attribute) -> Setup:
    try:
        return Setup(attribute.value)
    except ValueError:
        expected = ", ".join(setup.value for setup in Setup)
        raise SdpError(f"setup is {quote(attribute.value)}, expected one of {expected}", line=attribute.line) from None
