"""The answer's text, line by line, and that our own parser reads every answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from media.errors import LocalError
from media.rtp.parameters import Mid, Ssrc
from signaling.sdp import NegotiationPolicy, SlotSsrcs, negotiate, parse_offer, write_answer
from tests.unit.signaling.sdp.offers import LOCAL, REAL_OFFERS, TWCC_URI, audio, offer, slot_ssrcs, video

EVERYTHING = NegotiationPolicy(active_dtls=True)


def answer(text: str) -> list[str]:
    negotiated = negotiate(parse_offer(text), policy=EVERYTHING)
    written = write_answer(negotiated, LOCAL, slot_ssrcs(negotiated))
    assert written.endswith("\r\n")
    return written.split("\r\n")[:-1]


def sections(lines: list[str]) -> list[list[str]]:
    """The lines of each m= section, without the session's."""
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def test_a_small_answer_in_full() -> None:
    text = offer(
        audio("0", "sendonly", f"a=extmap:3 {TWCC_URI}", "a=rtcp-fb:111 transport-cc", "a=fmtp:111 useinbandfec=1;x=2"),
        video("1", "recvonly", "a=rtcp-rsize"),
        ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:2"],
    )
    assert answer(text) == [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE 0 1",
        "a=msid-semantic: WMS *",
        "m=audio 4433 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 192.0.2.7",
        "a=mid:0",
        "a=recvonly",
        "a=ice-ufrag:ours",
        "a=ice-pwd:ourpasswordwith22chars",
        f"a=fingerprint:sha-256 {LOCAL.fingerprint.value}",
        "a=setup:passive",
        "a=rtcp-mux",
        f"a=extmap:3 {TWCC_URI}",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 useinbandfec=1",
        "a=candidate:1 1 udp 2130706431 192.0.2.7 4433 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::7 4433 typ host",
        "a=end-of-candidates",
        "m=video 4433 UDP/TLS/RTP/SAVPF 96 97",
        "c=IN IP4 192.0.2.7",
        "a=mid:1",
        "a=sendonly",
        "a=ice-ufrag:ours",
        "a=ice-pwd:ourpasswordwith22chars",
        f"a=fingerprint:sha-256 {LOCAL.fingerprint.value}",
        "a=setup:passive",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 goog-remb",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=msid:slot-1 slot-1",
        "a=ssrc-group:FID 1000 1001",
        "a=ssrc:1000 cname:halqa",
        "a=ssrc:1000 msid:slot-1 slot-1",
        "a=ssrc:1001 cname:halqa",
        "a=ssrc:1001 msid:slot-1 slot-1",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=mid:2",
        "a=inactive",
    ]


@pytest.mark.parametrize("name", REAL_OFFERS)
def test_an_answer_is_sdp_with_the_sections_of_its_offer(name: str) -> None:
    offered = parse_offer(REAL_OFFERS[name])
    lines = answer(REAL_OFFERS[name])
    answered = parse_offer("\r\n".join(lines))
    assert [(section.mid, section.line.media, section.line.protocol) for section in answered.sections] == [
        (section.mid, section.line.media, section.line.protocol) for section in offered.sections
    ]
    assert answered.ice_lite
    assert answered.extmap_allow_mixed == offered.extmap_allow_mixed
    for theirs, ours in zip(offered.sections, answered.sections, strict=True):
        assert set(ours.line.formats) <= set(theirs.line.formats)  # payload types as offered, or Firefox goes silent
        assert {(item.id, item.uri) for item in ours.extensions} <= {(item.id, item.uri) for item in theirs.extensions}


def test_simulcast_is_mirrored() -> None:
    camera = sections(answer(REAL_OFFERS["chromium_simulcast_data"]))[1]
    assert camera[-4:] == ["a=rid:q recv", "a=rid:h recv", "a=rid:f recv", "a=simulcast:recv q;h;f"]


def test_paused_encodings_and_restrictions_are_mirrored() -> None:
    lines = ("a=rid:q send pt=96,97;max-width=320", "a=rid:h send", "a=simulcast:send ~q;h")
    (camera,) = sections(answer(offer(video("0", "sendonly", *lines))))
    assert "a=rid:q recv pt=96;max-width=320" in camera
    assert "a=simulcast:recv ~q;h" in camera


def test_limits_of_the_peers_decoder_do_not_bind_its_encoder() -> None:
    lines = answer(REAL_OFFERS["firefox_simulcast"])
    assert not [line for line in lines if "max-fs" in line or "max-fr" in line]
    assert "a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1" in lines


def test_only_the_tagged_section_has_candidates() -> None:
    text = offer(audio("0", "sendonly"), video("1", "recvonly"), bundle="1 0")
    first, second = sections(answer(text))
    assert not [line for line in first if line.startswith("a=candidate")]
    assert len([line for line in second if line.startswith("a=candidate")]) == 2


def test_allow_mixed_of_a_section_is_answered_there() -> None:
    lines = answer(offer(audio("0", "sendonly", "a=extmap-allow-mixed"), audio("1", "recvonly")))
    first, second = sections(lines)
    assert "a=extmap-allow-mixed" in first
    assert "a=extmap-allow-mixed" not in second
    assert lines.count("a=extmap-allow-mixed") == 1


def test_without_candidates_and_without_bundle() -> None:
    negotiated = negotiate(parse_offer(offer(audio("0", "sendonly"), bundle="")))
    lines = write_answer(negotiated, replace(LOCAL, candidates=()), {}, session_id=7, version=3).split("\r\n")
    assert "o=- 7 3 IN IP4 127.0.0.1" in lines
    assert lines[6] == "m=audio 9 UDP/TLS/RTP/SAVPF 111"
    assert lines[7] == "c=IN IP4 0.0.0.0"
    assert not [line for line in lines if "BUNDLE" in line]


def test_a_slot_without_retransmission_announces_one_ssrc() -> None:
    negotiated = negotiate(parse_offer(offer(audio("0", "recvonly"))))
    ssrcs = {Mid("0"): SlotSsrcs(Ssrc(5), Ssrc(6), cname="room")}
    kinds = Counter(line.partition(":")[0] for line in write_answer(negotiated, LOCAL, ssrcs).split("\r\n"))
    assert (kinds["a=ssrc"], kinds["a=ssrc-group"]) == (2, 0)


def test_a_slot_without_ssrcs_is_our_own_mistake() -> None:
    negotiated = negotiate(parse_offer(offer(audio("0", "recvonly"))))
    with pytest.raises(LocalError, match="slot 0 has no SSRCs"):
        write_answer(negotiated, LOCAL, {})


def test_an_idle_section_is_answered_inactive() -> None:
    (idle,) = sections(answer(offer(video("0", "inactive"))))
    assert "a=inactive" in idle
    assert idle[0] == "m=video 4433 UDP/TLS/RTP/SAVPF 96 97"
