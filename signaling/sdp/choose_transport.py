"""Which ICE credentials, certificates and DTLS side a BUNDLE group has (RFC 9143 section 7, RFC 8842 section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from media.rtp.parameters import RemoteTransport
from signaling.sdp.description import MediaSection, Setup, TransportLines
from signaling.sdp.errors import SdpError

STRONG_ALGORITHMS: Final = frozenset({"sha-256", "sha-384", "sha-512"})
"""RFC 8122 section 5 asks for SHA-256 and rules out SHA-1 and older."""


def choose_transport(
    sections: Iterable[MediaSection], extensions: Mapping[int, str], *, awaits_dtls: bool
) -> RemoteTransport:
    """Return the peer's end of the transport from the first section that tells it: bundle-only sections may not."""
    transport = _find_lines(sections)
    fingerprints = tuple(item for item in transport.fingerprints if item.algorithm in STRONG_ALGORITHMS)
    if transport.ice is None:
        raise SdpError("the offer has no a=ice-ufrag and a=ice-pwd for its sections")
    if not fingerprints:
        raise SdpError("the offer has no certificate fingerprint of sha-256, sha-384 or sha-512")
    return RemoteTransport(transport.ice, fingerprints, extensions, awaits_dtls)


def choose_setup(sections: Iterable[MediaSection], *, active_allowed: bool) -> Setup:
    """Return our DTLS side: passive, unless the peer insists on being so."""
    match _find_lines(sections).setup:
        case Setup.PASSIVE if active_allowed:
            return Setup.ACTIVE
        case Setup.PASSIVE:
            raise SdpError("the offer has a=setup:passive, expected actpass or active: this server waits for DTLS too")
        case Setup.HOLDCONN:
            raise SdpError("the offer has a=setup:holdconn, expected actpass or active")
        case Setup.ACTPASS | Setup.ACTIVE | None:  # none means active (RFC 4145 section 4)
            return Setup.PASSIVE


def _find_lines(sections: Iterable[MediaSection]) -> TransportLines:
    candidates = [section.transport for section in sections]
    return next((lines for lines in candidates if lines.ice is not None), candidates[0])
