"""The stamp at a frame's end hurts no decoder, and offers and answers say what they should."""

from __future__ import annotations

import av
import numpy as np
import pytest

from benchmarks.counted.clip import Clip, Codec, load_clip, load_sound
from benchmarks.counted.payloads import Packetiser, join_payloads
from benchmarks.load.clips import STAMP_BYTES, native_frames, stamped_payloads
from benchmarks.load.failures import MalformedAnswerError
from benchmarks.load.peer import announced_streams, extension_block
from benchmarks.load.sections import Section, make_credentials, read_answer, write_offer
from benchmarks.load.window import quantile_us
from media.native.rtp import parse_header
from media.rtp.extensions import MID, RID, TRANSPORT_SEQUENCE
from media.rtp.parameters import Fingerprint
from media.transport.keys import DtlsRole
from signaling.sdp.parser import parse_offer

FRAMES = 30
STAMP = bytes.fromhex("f1e8c195") + bytes([0x80 | 7] * 12)


def clip_of(codec: Codec) -> Clip:
    if codec is Codec.OPUS:
        return load_sound()
    return load_clip(codec, height=180, frames_per_second=30, bitrate_bps=120_000)


@pytest.mark.parametrize("codec", list(Codec))
def test_what_is_stamped_decodes_alike(codec: Codec) -> None:
    clip = clip_of(codec)
    packetiser = Packetiser(codec)
    plain, stamped = (av.CodecContext.create(codec.value.lower(), "r") for _ in range(2))
    decoded = 0
    for frame in clip.frames[:FRAMES]:
        payloads = stamped_payloads(packetiser, codec, frame.data)
        payloads[-1] = payloads[-1][:-STAMP_BYTES] + STAMP
        pictures = plain.decode(av.Packet(frame.data))  # type: ignore[attr-defined]
        others = stamped.decode(av.Packet(join_payloads(codec, payloads)))  # type: ignore[attr-defined]
        for one, other in zip(pictures, others, strict=True):
            assert np.array_equal(one.to_ndarray(), other.to_ndarray())
            decoded += 1
    assert decoded >= FRAMES - 2


def test_the_stamp_makes_no_packet_longer_than_its_neighbours() -> None:
    packetiser = Packetiser(Codec.VP8)
    for size in range(5000, 5040):
        sizes = {len(payload) for payload in stamped_payloads(packetiser, Codec.VP8, bytes(size))}
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("codec", list(Codec))
def test_clips_fit_native_memory(codec: Codec) -> None:
    assert native_frames(clip_of(codec)) is not None


def test_an_offer_is_one_that_our_server_reads() -> None:
    sections = [
        Section("0", is_video=False, sends=True, ssrcs=(5, 0)),
        Section("1", is_video=True, sends=True, codecs=(Codec.H264,), rids=("q", "h", "f")),
        Section("2", is_video=True, sends=False, codecs=(Codec.VP8, Codec.H264)),
    ]
    offer = write_offer(make_credentials(), Fingerprint("sha-256", "AA:" * 31 + "AA"), sections)
    assert len(parse_offer(offer).sections) == 3


ANSWER = """v=0
a=ice-lite
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:a0
a=ice-ufrag:abcd
a=ice-pwd:password
a=fingerprint:sha-256 aa:bb
a=setup:passive
a=candidate:1 1 tcp 9 127.0.0.1 9 typ host tcptype active
a=candidate:1 1 udp 5 127.0.0.2 4001 typ host
a=candidate:1 1 UDP 9 127.0.0.1 4000 typ host
a=candidate:1 1 udp 9 5e0f.local 4000 typ host
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 96 97
a=mid:v0
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=simulcast:recv q;~h;f
a=ssrc-group:FID 1 2
a=ssrc:1 cname:x
a=ssrc:2 cname:x
m=video 0 UDP/TLS/RTP/SAVPF 0
a=mid:v1
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_answer_is_read(line_end: str) -> None:
    answer = read_answer(ANSWER.replace("\n", line_end))
    assert answer.role is DtlsRole.CLIENT
    assert answer.candidates == (("127.0.0.1", 4000), ("127.0.0.2", 4001))
    assert (answer.ice.ufrag, answer.ice.password) == ("abcd", "password")
    assert answer.fingerprints == (Fingerprint("sha-256", "AA:BB"),)
    audio, video, refused = answer.sections
    assert [section.taken for section in answer.sections] == [True, True, False]
    assert audio.types == {111: "opus"}
    assert video.rids == ("q", "h", "f")
    assert announced_streams(video) == [(1, 2, 0), (2, 100, 1)]
    assert announced_streams(refused) == []
    block, at = extension_block(video, "1", "h", repaired=False)
    header = parse_header(bytes([0x90, 96]) + bytes(10) + block)
    assert header.extensions == ((4, b"1"), (10, b"h"), (3, b"\xa5\x5a"))
    assert block[at : at + 2] == b"\xa5\x5a"
    assert {MID, RID, TRANSPORT_SEQUENCE} == set(video.extensions)


@pytest.mark.parametrize(
    "missing", ["a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup", "a=candidate", "m=", "v=0"]
)
def test_an_answer_that_lacks_something_says_what(missing: str) -> None:
    lines = [line for line in ANSWER.splitlines() if not line.startswith(missing)]
    with pytest.raises(MalformedAnswerError):
        read_answer("\n".join(lines))


@pytest.mark.parametrize(("fraction", "expected_us"), [(0.0, 0.0), (0.5, 5.0), (1.0, 10.0)])
def test_quantiles_lie_between_the_bounds_of_buckets(fraction: float, expected_us: float) -> None:
    assert quantile_us([10] * 10 + [0] * 438, fraction) == pytest.approx(expected_us)
    assert quantile_us([0] * 448, fraction) == 0
