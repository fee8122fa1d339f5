"""What the parser keeps of real offers, and which lines it refuses, by line number and value."""

from __future__ import annotations

from collections import Counter

import pytest

from media.rtp.parameters import Fingerprint
from signaling.sdp import SdpError, SdpLimits, parse_offer
from signaling.sdp.description import Direction, HeaderExtension, Setup, SimulcastEncoding
from tests.unit.signaling.sdp.offers import REAL_OFFERS, audio, offer, video


@pytest.mark.parametrize("name", REAL_OFFERS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_real_offer_is_read_with_either_line_end(name: str, line_end: str) -> None:
    text = REAL_OFFERS[name].replace("\n", line_end)
    description = parse_offer(text)
    assert len(description.sections) == text.count(f"{line_end}m=")
    for section in description.sections:
        assert section.mid == str(section.index)
        assert section.transport.ice is not None
        assert [fingerprint.algorithm for fingerprint in section.transport.fingerprints] == ["sha-256"]
        assert section.transport.setup in (Setup.ACTPASS, Setup.PASSIVE)


def test_chromium_simulcast_offer() -> None:
    microphone, camera, data = parse_offer(REAL_OFFERS["chromium_simulcast_data"]).sections
    assert microphone.direction is Direction.SENDONLY
    assert [item.name for item in microphone.formats if item.name == "opus"] == ["opus"]
    assert microphone.formats[0].parameters == {"minptime": "10", "useinbandfec": "1"}
    assert (microphone.formats[0].clock_rate_hz, microphone.formats[0].channels) == (48_000, 2)
    assert camera.streams.simulcast is not None
    assert camera.streams.simulcast.send == tuple((SimulcastEncoding(rid),) for rid in ("q", "h", "f"))  # type: ignore[arg-type]
    assert Counter(item.name for item in camera.formats) == {
        "VP8": 1, "H264": 6, "AV1": 1, "VP9": 2, "rtx": 11, "red": 1, "ulpfec": 1,
    }  # fmt: skip
    vp8 = camera.formats[0]
    assert vp8.feedback == ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    assert len(camera.extensions) == 13
    assert camera.transport.rtcp_reduced_size
    assert camera.extmap_allow_mixed
    assert data.sctp_port == 5000
    assert data.line.formats == ("webrtc-datachannel",)


def test_firefox_offer_takes_the_fingerprint_from_the_session() -> None:
    description = parse_offer(REAL_OFFERS["firefox_simulcast"])
    microphone, camera, audio_slot, _video_slot, data = description.sections
    assert {section.transport.fingerprints for section in description.sections} == {
        (Fingerprint("sha-256", microphone.transport.fingerprints[0].value),)
    }
    assert data.transport.ice_options == {"trickle"}
    assert microphone.direction is Direction.SENDRECV
    assert audio_slot.direction is Direction.RECVONLY
    assert (
        HeaderExtension(2, "urn:ietf:params:rtp-hdrext:csrc-audio-level", Direction.RECVONLY) in microphone.extensions
    )
    assert [line.rid for line in camera.streams.rids] == ["q", "h", "f"]
    assert len(camera.streams.sources) == 6
    assert [group.semantics for group in camera.streams.source_groups] == ["FID"] * 3
    (msid,) = camera.streams.msids
    assert msid.stream == "{e2f2a9a5-0b3e-4c59-9d43-6a7c7be8a0a4}"


def test_chromium_candidates_are_read() -> None:
    (section,) = parse_offer(REAL_OFFERS["chromium_candidates"]).sections
    first = section.transport.candidates[0]
    assert first.address.endswith(".local")
    assert (first.transport, first.type, first.component) == ("udp", "host", 1)


def test_a_direction_may_stand_at_session_level_and_defaults_to_both() -> None:
    bare = [line for line in audio("0", "sendonly") if line != "a=sendonly"]
    assert parse_offer(offer(bare)).sections[0].direction is Direction.SENDRECV
    inherited = offer(bare).replace("t=0 0\r\n", "t=0 0\r\na=recvonly\r\n")
    assert parse_offer(inherited).sections[0].direction is Direction.RECVONLY


def test_what_nobody_asked_for_is_ignored() -> None:
    text = offer(audio("0", "sendonly", "b=AS:64", "i=a title", "a=x-unknown:1 2 3", "a=unknown", "a=rtcp-xr:all"))
    assert parse_offer(text).sections[0].mid == "0"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("a=mid:1", "a=mid stands twice"),
        ("a=recvonly", "both sendonly and recvonly"),
        ("a=rtpmap:96", "rtpmap is '96'"),
        ("a=rtpmap:300 x/1", "payload type is 300, expected 0 to 127"),
        ("a=rtpmap:12 opus", "expected a name and a clock rate"),
        ("a=rtpmap:12 opus/0", "clock rate is 0"),
        ("a=rtpmap:12 opus/48000/2/2", "number of channels is '2/2'"),
        ("a=rtpmap:111 opus/48000/2", "payload type 111 has two rtpmap lines"),
        ("a=rtpmap:١٢ opus/48000/2", "payload type is '\\u0661\\u0662', expected a number"),
        ("a=fmtp:x a=1", "payload type is 'x'"),
        ("a=fmtp:111 ", "fmtp is '111 '"),
        ("a=rtcp-fb:111", "rtcp-fb is '111'"),
        ("a=extmap:0 urn:x", "header extension id is 0"),
        ("a=extmap:1", "extmap is '1'"),
        ("a=extmap:1/both urn:x", "header extension direction is 'both'"),
        ("a=ssrc:-1 cname:x", "SSRC is '-1'"),
        ("a=ssrc:4294967296 cname:x", "SSRC is 4294967296"),
        ("a=ssrc-group:FID 1 1", "expected distinct SSRCs"),
        ("a=msid:a b c", "msid is 'a b c'"),
        ("a=rid:q sideways", "rid line is 'q sideways'"),
        ("a=rid:é send", "rid is '\\xe9'"),
        ("a=simulcast:send", "simulcast is 'send'"),
        ("a=simulcast:send a send b", "simulcast is 'send a send b'"),
        ("a=simulcast:send a;a", "rid 'a' stands twice in simulcast"),
        ("a=setup:both", "setup is 'both'"),
        ("a=fingerprint:sha-256 AB", "sha-256 fingerprint is 1 bytes, expected 32"),
        ("a=fingerprint:sha-256 ZZ", "fingerprint is 'ZZ'"),
        ("a=candidate:1 1 udp", "candidate is '1 1 udp'"),
        ("a=sctp-port:70000", "sctp-port is 70000"),
        ("a=ice-ufrag:ab", "must stand together"),
        ("q=1", "'q' is not a kind of line that may stand here"),
        ("t=0 0", "'t' is not a kind of line that may stand here"),
        ("", "it is ''"),
        ("nonsense", "it is 'nonsense'"),
        ("m=audio 9", "m= is 'audio 9'"),
        ("m=audio 99999 X y", "port is 99999"),
        ("m=video 9 UDP/TLS/RTP/SAVPF 96 96", "a payload type stands twice"),
        ("a=x\x00y", "the character '\\x00' may not stand in SDP"),
        ("a=x\ud800y", "the character '\\ud800' may not stand in SDP"),
        ("a=x\ry", "it is 'a=x\\ry'"),
    ],
)
def test_a_bad_line_is_named_with_its_value(line: str, complaint: str) -> None:
    text = offer(audio("0", "sendonly"), video("1", "sendonly"))
    lines = text.split("\r\n")
    at = lines.index("a=rtpmap:111 opus/48000/2") + 1
    lines.insert(at, line)
    with pytest.raises(SdpError) as caught:
        parse_offer("\r\n".join(lines))
    assert complaint in str(caught.value)
    assert str(caught.value).isascii()
    assert caught.value.line is not None
    assert abs(caught.value.line - (at + 1)) <= 1  # the second of two that contradict each other


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: it is ''"),
        ("v=1\r\n", "expected v=0"),
        ("v=0\r\n", "line 2"),
        ("v=0\r\no=- 1 1 IN IP4\r\n", "expected six fields"),
        ("v=0\r\no=- x 1 IN IP4 0.0.0.0\r\n", "session id is 'x'"),
        (offer(audio("0", "sendonly"), audio("0", "sendonly"), bundle="0"), "mid '0' stands on two sections"),
        (offer(audio("0", "sendonly"), bundle="0 1"), "BUNDLE names mid '1'"),
        (offer(audio("0", "sendonly"), bundle="0 0"), "mid '0' is bundled twice"),
        (offer(audio("seventeen-letters", "sendonly")), "mid is 'seventeen-letters'"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(SdpError) as caught:
        parse_offer(text)
    assert complaint in str(caught.value)


def test_the_ice_password_is_never_quoted() -> None:
    with pytest.raises(SdpError) as caught:
        parse_offer(offer(audio("0", "sendonly", "a=ice-ufrag:abcd", "a=ice-pwd:hunter2")))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "lines"),
    [
        (SdpLimits(size_characters=200), []),
        (SdpLimits(lines=10), []),
        (SdpLimits(line_characters=50), ["a=x:" + "y" * 47]),
        (SdpLimits(sections=0), []),
        (SdpLimits(attributes_per_section=5), ["a=x", "a=x"]),
        (SdpLimits(formats_per_section=1), ["m=video 9 UDP/TLS/RTP/SAVPF 96 97"]),
        (SdpLimits(parameters_per_format=1), ["a=fmtp:111 a=1;b=2"]),
        (SdpLimits(feedback_per_format=1), ["a=rtcp-fb:111 nack", "a=rtcp-fb:111 nack pli"]),
        (SdpLimits(extensions_per_section=1), ["a=extmap:1 urn:a", "a=extmap:2 urn:b"]),
        (SdpLimits(rids_per_section=1), ["a=rid:a send", "a=rid:b send"]),
        (SdpLimits(rids_per_section=1), ["a=simulcast:send a;b"]),
        (SdpLimits(restrictions_per_rid=1), ["a=rid:a send max-width=1;max-height=1"]),
        (SdpLimits(sources_per_section=1), ["a=ssrc:1 cname:x", "a=ssrc:2 cname:x"]),
        (SdpLimits(source_groups_per_section=0), ["a=ssrc-group:FID 1 2"]),
        (SdpLimits(msids_per_section=0), ["a=msid:a b"]),
        (SdpLimits(fingerprints_per_section=0), []),
        (SdpLimits(candidates_per_section=0), ["a=candidate:1 1 udp 1 192.0.2.1 9 typ host"]),
        (SdpLimits(groups=0), []),
    ],
)
def test_each_limit_refuses_what_is_beyond_it(limits: SdpLimits, lines: list[str]) -> None:
    text = offer(audio("0", "sendonly", *lines))
    parse_offer(text)
    with pytest.raises(SdpError):
        parse_offer(text, limits)
