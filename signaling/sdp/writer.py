"""From decisions to the text of the answer (RFC 9429 section 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from media.rtp.parameters import LocalTransport, Mid
from signaling.sdp.negotiated import NegotiatedOffer, SlotSsrcs


def write_answer(
    negotiated: NegotiatedOffer,
    local: LocalTransport,
    slots: Mapping[Mid, SlotSsrcs],
    *,
    session_id: int = 1,
    version: int = 1,
) -> str:
    """Return the answer, CRLF after each line. `slots` has an entry for each SlotSection, or LocalError is raised.

    `session_id` stays for the life of a connection; `version` grows by one with each of its answers (RFC 3264 section 8).
    """
    raise NotImplementedError
