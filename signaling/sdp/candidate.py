"""One ICE candidate, from a=candidate or from a trickled message (RFC 8839 section 5.1)."""

from __future__ import annotations

from signaling.sdp.description import RemoteCandidate


def parse_candidate(text: str, *, line: int | None = None) -> RemoteCandidate:
    """Return the candidate in "candidate:..." ("a=" before it is tolerated); raise SdpError if it breaks the grammar."""
    raise NotImplementedError
