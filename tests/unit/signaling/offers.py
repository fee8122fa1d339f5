"""Offers of the shape that our SDK makes, as small as a negotiation allows."""

from __future__ import annotations

from collections.abc import Sequence

SLOTS = (("10", "audio"), ("11", "audio"), ("20", "video"), ("21", "video"), ("22", "video"), ("30", "screen"))
"""Mid and kind of the slots of `sdk_offer`."""

MICROPHONE, CAMERA, SCREEN, SCREEN_AUDIO = "0", "1", "2", "3"
"""Mids of the sections on which `sdk_offer` sends."""

_AUDIO_CODECS = "a=rtpmap:111 opus/48000/2\na=rtcp-fb:111 transport-cc\na=fmtp:111 minptime=10;useinbandfec=1\n"
_VIDEO_CODECS = (
    "a=rtpmap:96 VP8/90000\na=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\na=rtcp-fb:96 transport-cc\n"
    "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n"
)
_SIMULCAST = "a=rid:q send\na=rid:h send\na=rid:f send\na=simulcast:send q;h;f\n"
TRANSPORT_WIDE = "a=extmap:5 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n"
"""For `sdk_offer`: the client tells which packets came, and when."""
_EXTENSIONS = (
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n"
)


def section(
    mid: str,
    kind: str,
    direction: str,
    *,
    ufrag: str = "abcd",
    simulcast: bool = False,
    port: int = 9,
    extensions: str = "",
) -> str:
    """Return one m= section."""
    codecs, formats = (_AUDIO_CODECS, "111") if kind == "audio" else (_VIDEO_CODECS, "96 97")
    return (
        f"m={kind} {port} UDP/TLS/RTP/SAVPF {formats}\nc=IN IP4 0.0.0.0\na=ice-ufrag:{ufrag}\n"
        f"a=ice-pwd:{ufrag}{'x' * 24}\na=fingerprint:sha-256 {':'.join(['0A'] * 32)}\na=setup:actpass\na=mid:{mid}\n"
        f"{_EXTENSIONS}{extensions}a={direction}\na=rtcp-mux\na=rtcp-rsize\n{codecs}{_SIMULCAST if simulcast else ''}"
    )


def description(sections: Sequence[str], mids: Sequence[str]) -> str:
    """Return the SDP of sections."""
    head = f"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE {' '.join(mids)}\na=extmap-allow-mixed\n"
    return (head + "".join(sections)).replace("\n", "\r\n")


def sdk_offer(
    *, ufrag: str = "abcd", slots: Sequence[tuple[str, str]] = SLOTS, removed: Sequence[str] = (), extensions: str = ""
) -> str:
    """Return an offer of four sections to send on and some slots; `removed` mids have port 0."""
    sending = [(MICROPHONE, "audio"), (CAMERA, "video"), (SCREEN, "video"), (SCREEN_AUDIO, "audio")]
    sections = [
        section(
            mid,
            kind,
            "sendonly",
            ufrag=ufrag,
            simulcast=mid == CAMERA,
            port=0 if mid in removed else 9,
            extensions=extensions,
        )
        for mid, kind in sending
    ]
    for mid, purpose in slots:
        kind = "audio" if purpose == "audio" else "video"
        sections.append(
            section(mid, kind, "recvonly", ufrag=ufrag, port=0 if mid in removed else 9, extensions=extensions)
        )
    mids = [mid for mid, _ in [*sending, *slots] if mid not in removed]
    return description(sections, mids)
