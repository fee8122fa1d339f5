"""Offers for the tests: the real ones on disk, and small ones put together from parts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from media.rtp.parameters import Candidate, Fingerprint, IceCredentials, LocalTransport, Mid, Ssrc
from signaling.sdp import NegotiatedOffer, SlotSsrcs

FOLDER: Final = Path(__file__).parents[3] / "data" / "sdp"
REAL_OFFERS: Final = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.sdp"))}

FINGERPRINT: Final = ":".join(["AB"] * 32)
TRANSPORT: Final = (
    "a=ice-ufrag:peer",
    "a=ice-pwd:peerspasswordwith22chars",
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass",
)
MID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
TWCC_URI: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

LOCAL: Final = LocalTransport(
    IceCredentials("ours", "ourpasswordwith22chars"),
    Fingerprint("sha-256", ":".join(["CD"] * 32)),
    (Candidate("192.0.2.7", 4433, 2_130_706_431, "1"), Candidate("2001:db8::7", 4433, 2_130_706_175, "2")),
)


def audio(mid: str, direction: str, *lines: str) -> list[str]:
    """An audio section with opus; `lines` follow."""
    return [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        *lines,
    ]


def video(mid: str, direction: str, *lines: str, formats: str = "96 97") -> list[str]:
    """A video section with VP8 and its rtx; `lines` follow."""
    return [
        f"m=video 9 UDP/TLS/RTP/SAVPF {formats}",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 goog-remb",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        *lines,
    ]


def offer(*sections: list[str], session: tuple[str, ...] = TRANSPORT, bundle: str | None = None) -> str:
    """An offer of these sections, all in one BUNDLE group unless `bundle` names another list of mids."""
    mids = [line.removeprefix("a=mid:") for section in sections for line in section if line.startswith("a=mid:")]
    names = " ".join(mids) if bundle is None else bundle
    group = [f"a=group:BUNDLE {names}"] if names else []
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", *group, *session]
    return "".join(f"{line}\r\n" for line in [*lines, *(line for section in sections for line in section)])


def slot_ssrcs(negotiated: NegotiatedOffer) -> dict[Mid, SlotSsrcs]:
    """SSRCs for each slot: 1000 and 1001 for the first, and so on."""
    return {
        consumer.mid: SlotSsrcs(Ssrc(1000 + 2 * index), Ssrc(1001 + 2 * index))
        for index, consumer in enumerate(negotiated.consumers)
    }
