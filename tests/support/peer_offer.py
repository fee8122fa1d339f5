"""What a test peer puts into its offer, and what it reads from the answer: plain text, no parser of ours."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from media.rtp.extensions import AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_SEQUENCE
from media.rtp.parameters import Address, Fingerprint, IceCredentials

MICROPHONE, CAMERA, SCREEN = "0", "1", "2"
"""Mids of the sections on which a peer sends; its slots have the mids "a0", "v0", "s0" and so on."""

ENCODINGS = ("q", "h", "f")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Payload types and header extension ids: each end of a call has its own, and the server must translate."""

    opus: int = 111
    vp8: int = 96
    vp8_rtx: int = 97
    mid: int = 4
    rid: int = 10
    repaired_rid: int = 11
    transport_sequence: int = 3
    audio_level: int = 1


LIKE_CHROMIUM = Numbers()
LIKE_FIREFOX = Numbers(
    opus=109, vp8=120, vp8_rtx=124, mid=3, rid=5, repaired_rid=6, transport_sequence=7, audio_level=2
)


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """How many sections a peer offers to receive on."""

    audio: int = 2
    video: int = 2
    screen: int = 1

    @property
    def kinds(self) -> dict[str, str]:
        """Return mid -> kind, in the order of the offer."""
        counts = {"audio": self.audio, "video": self.video, "screen": self.screen}
        return {f"{kind[0]}{number}": kind for kind, count in counts.items() for number in range(count)}


def make_credentials() -> IceCredentials:
    return IceCredentials(secrets.token_hex(4), secrets.token_hex(16))


def write_offer(ice: IceCredentials, fingerprint: Fingerprint, slots: SlotCounts, numbers: Numbers) -> str:
    """Return an offer: microphone, simulcast camera and screen to send, then the slots."""
    sections = {MICROPHONE: "audio", CAMERA: "camera", SCREEN: "video"} | slots.kinds
    lines = ["v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=extmap-allow-mixed"]
    lines += [f"a=group:BUNDLE {' '.join(sections)}", "a=msid-semantic: WMS *"]
    for mid, kind in sections.items():
        is_audio = kind == "audio"
        formats = f"{numbers.opus}" if is_audio else f"{numbers.vp8} {numbers.vp8_rtx}"
        lines += [f"m={'audio' if is_audio else 'video'} 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0"]
        lines += [f"a=ice-ufrag:{ice.ufrag}", f"a=ice-pwd:{ice.password}", "a=ice-options:trickle"]
        lines += [f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}", "a=setup:actpass", f"a=mid:{mid}"]
        lines += ["a=sendonly" if mid in {MICROPHONE, CAMERA, SCREEN} else "a=recvonly", "a=rtcp-mux", "a=rtcp-rsize"]
        lines += [f"a=extmap:{numbers.mid} {MID}", f"a=extmap:{numbers.transport_sequence} {TRANSPORT_SEQUENCE}"]
        lines += _audio_lines(numbers) if is_audio else _video_lines(numbers)
        if kind == "camera":
            lines += [*(f"a=rid:{rid} send" for rid in ENCODINGS), f"a=simulcast:send {';'.join(ENCODINGS)}"]
    return "".join(f"{line}\r\n" for line in lines)


def _audio_lines(numbers: Numbers) -> list[str]:
    opus = numbers.opus
    return [
        f"a=extmap:{numbers.audio_level} {AUDIO_LEVEL}",
        f"a=rtpmap:{opus} opus/48000/2",
        f"a=rtcp-fb:{opus} transport-cc",
        f"a=fmtp:{opus} minptime=10;useinbandfec=1",
    ]


def _video_lines(numbers: Numbers) -> list[str]:
    vp8, rtx = numbers.vp8, numbers.vp8_rtx
    feedback = ("transport-cc", "ccm fir", "nack", "nack pli")
    return [
        f"a=extmap:{numbers.rid} {RID}",
        f"a=extmap:{numbers.repaired_rid} {REPAIRED_RID}",
        f"a=rtpmap:{vp8} VP8/90000",
        *(f"a=rtcp-fb:{vp8} {message}" for message in feedback),
        f"a=rtpmap:{rtx} rtx/90000",
        f"a=fmtp:{rtx} apt={vp8}",
    ]


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's end of the transport, and the SSRCs of our slots by mid: (media, RTX or None)."""

    ice: IceCredentials
    fingerprint: Fingerprint
    address: Address
    slots: dict[str, tuple[int, int | None]] = field(default_factory=dict)


def read_answer(sdp: str) -> Answer:
    """Return what matters of an answer; AssertionError if it is none of an ICE-lite, passive server."""
    assert "a=ice-lite" in sdp
    assert "a=setup:passive" in sdp
    candidate = re.search(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host\r$", sdp, re.MULTILINE)
    assert candidate is not None, "the answer has no candidate"
    algorithm, fingerprint = _value(sdp, "fingerprint").split(" ")
    slots: dict[str, tuple[int, int | None]] = {}
    for section in sdp.split("\r\nm=")[1:]:
        ssrcs = list(dict.fromkeys(int(ssrc) for ssrc in re.findall(r"^a=ssrc:(\d+) ", section, re.MULTILINE)))
        if ssrcs:
            assert len(ssrcs) <= 2
            slots[_value(section, "mid")] = (ssrcs[0], ssrcs[1] if len(ssrcs) == 2 else None)
    return Answer(
        IceCredentials(_value(sdp, "ice-ufrag"), _value(sdp, "ice-pwd")),
        Fingerprint(algorithm, fingerprint),
        (candidate[1], int(candidate[2])),
        slots,
    )


def _value(sdp: str, attribute: str) -> str:
    found = re.search(rf"^a={attribute}:(.*?)\r?$", sdp, re.MULTILINE)
    assert found is not None, f"the answer has no a={attribute}"
    return found[1]
