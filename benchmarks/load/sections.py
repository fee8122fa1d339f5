"""The offers of load peers, and what they read from any server's answer. Text in, values out."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.counted.clip import Codec
from benchmarks.load.failures import MalformedAnswerError
from media.rtp.extensions import AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_SEQUENCE
from media.rtp.parameters import Address, Fingerprint, IceCredentials
from media.transport.keys import DtlsRole

OPUS: Final = 111
VIDEO_TYPES: Final = {Codec.VP8: (96, 97), Codec.H264: (102, 103)}
"""Payload type of the codec and of its RTX."""
EXTENSIONS: Final = {MID: 4, RID: 10, REPAIRED_RID: 11, TRANSPORT_SEQUENCE: 3, AUDIO_LEVEL: 1}
_ONLY_AUDIO: Final = frozenset({AUDIO_LEVEL})
_ONLY_VIDEO: Final = frozenset({RID, REPAIRED_RID})
_H264_FORMAT: Final = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
_VIDEO_FEEDBACK: Final = ("transport-cc", "ccm fir", "nack", "nack pli")
_SETUP: Final = {"active": DtlsRole.SERVER, "passive": DtlsRole.CLIENT}


@dataclass(frozen=True, slots=True)
class Section:
    """One m= section of an offer."""

    mid: str
    is_video: bool
    sends: bool
    codecs: tuple[Codec, ...] = (Codec.VP8,)
    """Of video, the preferred one first."""
    rids: tuple[str, ...] = ()
    """Of simulcast."""
    ssrcs: tuple[int, int] = (0, 0)
    """Declared for a single stream that is sent: media and RTX."""


@dataclass(frozen=True, slots=True)
class AnsweredSection:
    """What a server said of one section."""

    mid: str
    taken: bool
    types: Mapping[int, str]
    """Payload type -> encoding name in lower case."""
    extensions: Mapping[str, int]
    """URI -> id."""
    rids: tuple[str, ...]
    """Simulcast that it takes from us."""
    ssrcs: tuple[tuple[int, int], ...]
    """Announced streams: media SSRC and RTX SSRC (0: none)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's end of the transport."""

    ice: IceCredentials
    fingerprints: tuple[Fingerprint, ...]
    role: DtlsRole
    """Ours."""
    candidates: tuple[Address, ...]
    """UDP, best first."""
    sections: tuple[AnsweredSection, ...] = field(default=())


def make_credentials() -> IceCredentials:
    return IceCredentials(secrets.token_hex(4), secrets.token_hex(16))


def write_offer(ice: IceCredentials, fingerprint: Fingerprint, sections: Sequence[Section]) -> str:
    """Return the offer of one PeerConnection."""
    mids = " ".join(section.mid for section in sections)
    lines = ["v=0", f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=extmap-allow-mixed"]
    lines += [f"a=group:BUNDLE {mids}", "a=msid-semantic: WMS *"]
    for section in sections:
        lines += _section_lines(ice, fingerprint, section)
    return "".join(f"{line}\r\n" for line in lines)


def _section_lines(ice: IceCredentials, fingerprint: Fingerprint, section: Section) -> list[str]:
    types = [kind for codec in section.codecs for kind in VIDEO_TYPES[codec]] if section.is_video else [OPUS]
    lines = [f"m={'video' if section.is_video else 'audio'} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, types))}"]
    lines += ["c=IN IP4 0.0.0.0", f"a=ice-ufrag:{ice.ufrag}", f"a=ice-pwd:{ice.password}"]
    lines += [f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}", "a=setup:actpass", f"a=mid:{section.mid}"]
    lines += ["a=sendonly" if section.sends else "a=recvonly", "a=rtcp-mux", "a=rtcp-rsize"]
    unwanted = _ONLY_AUDIO if section.is_video else _ONLY_VIDEO
    lines += [f"a=extmap:{number} {uri}" for uri, number in EXTENSIONS.items() if uri not in unwanted]
    if section.sends:
        lines.append(f"a=msid:load {section.mid}")
    if not section.is_video:
        lines += [f"a=rtpmap:{OPUS} opus/48000/2", f"a=rtcp-fb:{OPUS} transport-cc", f"a=fmtp:{OPUS} useinbandfec=1"]
    else:
        lines += [line for codec in section.codecs for line in _codec_lines(codec)]
    if section.rids:
        lines += [*(f"a=rid:{rid} send" for rid in section.rids), f"a=simulcast:send {';'.join(section.rids)}"]
    elif section.ssrcs[0]:
        media, repair = section.ssrcs
        if repair:
            lines.append(f"a=ssrc-group:FID {media} {repair}")
        lines += [f"a=ssrc:{ssrc} cname:load" for ssrc in section.ssrcs if ssrc]
    return lines


def _codec_lines(codec: Codec) -> list[str]:
    media, repair = VIDEO_TYPES[codec]
    lines = [f"a=rtpmap:{media} {codec.value}/90000"]
    lines += [f"a=rtcp-fb:{media} {message}" for message in _VIDEO_FEEDBACK]
    if codec is Codec.H264:
        lines.append(f"a=fmtp:{media} {_H264_FORMAT}")
    return [*lines, f"a=rtpmap:{repair} rtx/90000", f"a=fmtp:{repair} apt={media}"]


def read_answer(sdp: str) -> Answer:
    """Return what matters of an answer; MalformedAnswerError says what is missing."""
    if not sdp.startswith("v=0"):
        raise MalformedAnswerError(f"the server's answer is not SDP: it begins with {sdp[:40]!r}")
    head, *bodies = re.split(r"^m=", sdp.replace("\r\n", "\n"), flags=re.MULTILINE)
    if not bodies:
        raise MalformedAnswerError("the server's answer has no m= section")
    transport = next((body for body in bodies if "\na=ice-ufrag:" in body), bodies[0])
    setup = _find("setup", transport, head)
    if setup not in _SETUP:
        raise MalformedAnswerError(f"the server's answer has a=setup:{setup}, expected active or passive")
    fingerprints = re.findall(r"^a=fingerprint:(\S+) (\S+)\s*$", transport + "\n" + head, re.MULTILINE)
    if not fingerprints:
        raise MalformedAnswerError("the server's answer has no a=fingerprint")
    candidates = [candidate for body in (head, *bodies) for candidate in _candidates(body)]
    if not candidates:
        raise MalformedAnswerError("the server's answer has no candidate for UDP")
    return Answer(
        ice=IceCredentials(_find("ice-ufrag", transport, head), _find("ice-pwd", transport, head)),
        fingerprints=tuple(dict.fromkeys(Fingerprint(name.lower(), value.upper()) for name, value in fingerprints)),
        role=_SETUP[setup],
        candidates=tuple(dict.fromkeys(address for _, address in sorted(candidates, key=lambda found: -found[0]))),
        sections=tuple(_read_section(body) for body in bodies),
    )


def _find(attribute: str, *texts: str) -> str:
    for text in texts:
        if found := re.search(rf"^a={attribute}:(\S+)\s*$", text, re.MULTILINE):
            return found[1]
    raise MalformedAnswerError(f"the server's answer has no a={attribute}")


def _candidates(body: str) -> list[tuple[int, Address]]:
    """Return (priority, address) of all for component 1 over UDP; names (mDNS) are nobody's that we know."""
    pattern = r"^a=candidate:\S+ 1 udp (\d+) ([0-9a-fA-F:.]+) (\d+) typ "
    found = re.findall(pattern, body, re.MULTILINE | re.IGNORECASE)
    return [(int(priority), (host, int(port))) for priority, host, port in found if int(port)]


def _read_section(body: str) -> AnsweredSection:
    first = body.split("\n", 1)[0].split()
    types = {int(kind): name.lower() for kind, name in re.findall(r"^a=rtpmap:(\d+) ([^/\s]+)", body, re.MULTILINE)}
    groups = [(int(one), int(two)) for one, two in re.findall(r"^a=ssrc-group:FID (\d+) (\d+)", body, re.MULTILINE)]
    grouped = {ssrc for group in groups for ssrc in group}
    alone = dict.fromkeys(int(ssrc) for ssrc in re.findall(r"^a=ssrc:(\d+)", body, re.MULTILINE))
    mid = re.search(r"^a=mid:(\S+)", body, re.MULTILINE)
    simulcast = re.search(r"^a=simulcast:.*?\brecv (\S+)", body, re.MULTILINE)
    return AnsweredSection(
        mid=mid[1] if mid else "",
        taken=len(first) > 1 and first[1] != "0" and "\na=inactive" not in body,
        types=types,
        extensions={uri: int(number) for number, uri in re.findall(r"^a=extmap:(\d+)\S* (\S+)", body, re.MULTILINE)},
        rids=tuple(rid.lstrip("~") for rid in re.split(r"[;,]", simulcast[1])) if simulcast else (),
        ssrcs=(*groups, *((ssrc, 0) for ssrc in alone if ssrc not in grouped)),
    )
