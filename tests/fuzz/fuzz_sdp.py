"""Fuzz target: text to description to decisions to answer; only SdpError may come out, and our answers are SDP."""

from __future__ import annotations

from pathlib import Path

from media.rtp.parameters import Candidate, Fingerprint, IceCredentials, LocalTransport, Ssrc
from signaling.sdp import (
    NegotiationPolicy,
    SdpError,
    SlotSsrcs,
    compare_offers,
    negotiate,
    parse_candidate,
    parse_offer,
    write_answer,
)

SEEDS: list[bytes] = [
    path.read_bytes() for path in sorted((Path(__file__).parents[1] / "data" / "sdp").glob("*.sdp"))
] + [
    b"candidate:1 1 udp 2113937151 7983a308-bb02-4268-924d-17b2f278b699.local 48804 typ host generation 0",
]

_POLICY = NegotiationPolicy(active_dtls=True)
_LOCAL = LocalTransport(
    IceCredentials("ours", "ourpasswordwith22chars"),
    Fingerprint("sha-256", ":".join(["CD"] * 32)),
    (Candidate("192.0.2.7", 4433, 2_130_706_431, "1"),),
)


def target(data: bytes) -> None:
    """Take any bytes, as a whole offer and as a candidate."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        parse_candidate(text)
    except SdpError as error:
        _check_message(error)
    try:
        offered = parse_offer(text)
        negotiated = negotiate(offered, policy=_POLICY)
    except SdpError as error:
        _check_message(error)
        return
    slots = {
        consumer.mid: SlotSsrcs(Ssrc(index + 1), Ssrc(index + 100_001))
        for index, consumer in enumerate(negotiated.consumers)
    }
    answered = parse_offer(write_answer(negotiated, _LOCAL, slots))
    assert [section.mid for section in answered.sections] == [section.mid for section in offered.sections]
    change = compare_offers(negotiated, negotiated)
    assert (change.ice_restart, change.added, change.removed, change.extensions) == (False, (), (), {})


def _check_message(error: SdpError) -> None:
    message = str(error)
    assert message.isascii(), "a message holds characters of the peer"
    assert message.isprintable(), "a message holds control characters of the peer"
