"""What is taken of an offer, section by section, and which offers cannot be answered."""

from __future__ import annotations

import pytest

from media.routing.consumer import is_numbered
from media.rtp import extensions
from media.rtp.parameters import EncodingParameters, MediaKind, Mid, Rid, RtpCodec, Ssrc
from signaling.sdp import (
    IdleSection,
    NegotiatedOffer,
    NegotiationPolicy,
    PublishSection,
    RejectedSection,
    SdpError,
    SlotSection,
    negotiate,
    parse_offer,
)
from signaling.sdp.description import Setup
from signaling.sdp.negotiated import codecs_of
from tests.unit.signaling.sdp.offers import MID_URI, REAL_OFFERS, TRANSPORT, TWCC_URI, audio, offer, video


def decide(text: str, **policy: object) -> NegotiatedOffer:
    return negotiate(parse_offer(text), policy=NegotiationPolicy(**policy))  # type: ignore[arg-type]


def roles(negotiated: NegotiatedOffer) -> list[type]:
    return [type(section) for section in negotiated.sections]


def encodings(*lines: str, formats: str = "96 97") -> tuple[EncodingParameters, ...]:
    (producer,) = decide(offer(video("0", "sendonly", *lines, formats=formats))).producers
    return producer.encodings


# Real offers


def test_the_sdk_offer_becomes_four_producers_and_fourteen_slots() -> None:
    negotiated = decide(REAL_OFFERS["chromium_sdk_join"])
    assert roles(negotiated) == [PublishSection] * 4 + [SlotSection] * 14 + [RejectedSection]
    assert [producer.kind.value for producer in negotiated.producers] == ["audio", "video", "video", "audio"]
    assert [consumer.kind.value for consumer in negotiated.consumers] == ["audio"] * 4 + ["video"] * 10
    camera, screen = negotiated.producers[1:3]
    assert [encoding.rid for encoding in camera.encodings] == ["q", "h", "f"]
    assert screen.encodings[0].ssrc is not None
    assert screen.encodings[0].rtx_ssrc is not None
    assert negotiated.bundle == tuple(str(mid) for mid in range(18))
    assert negotiated.setup is Setup.PASSIVE
    assert negotiated.extmap_allow_mixed


def test_codecs_of_chromium_each_with_its_retransmission() -> None:
    camera = decide(REAL_OFFERS["chromium_simulcast_data"]).producers[1]
    assert [(codec.name, codec.payload_type, codec.rtx_payload_type) for codec in camera.codecs] == [
        ("VP8", 96, 97), ("H264", 102, 103), ("H264", 104, 107), ("H264", 108, 109), ("H264", 114, 115),
        ("H264", 116, 117), ("H264", 39, 40), ("AV1", 45, 46), ("VP9", 98, 99), ("VP9", 100, 101),
    ]  # fmt: skip
    assert {codec.feedback for codec in camera.codecs} == {frozenset({"transport-cc", "ccm fir", "nack", "nack pli"})}


def test_extensions_of_publishers_and_of_viewers() -> None:
    negotiated = decide(REAL_OFFERS["chromium_sdk_join"])
    camera, slot = negotiated.accepted[1], negotiated.accepted[17]
    assert {extension.uri for extension in camera.extensions} == {
        extensions.MID, extensions.RID, extensions.REPAIRED_RID, extensions.TRANSPORT_SEQUENCE,
        extensions.ABSOLUTE_SEND_TIME, extensions.VIDEO_ORIENTATION, extensions.PLAYOUT_DELAY,
        extensions.VIDEO_CONTENT_TYPE, extensions.VIDEO_TIMING, extensions.COLOR_SPACE,
        extensions.VIDEO_LAYERS_ALLOCATION,
    }  # fmt: skip
    in_slot = {extension.uri for extension in slot.extensions}
    assert not in_slot & {
        extensions.RID, extensions.REPAIRED_RID, extensions.ABSOLUTE_SEND_TIME, extensions.TRANSMISSION_OFFSET,
    }  # fmt: skip
    assert {
        extensions.MID, extensions.VIDEO_ORIENTATION, extensions.DEPENDENCY_DESCRIPTOR, extensions.TRANSPORT_SEQUENCE,
    } <= in_slot  # fmt: skip
    assert negotiated.remote.extensions[4] == extensions.MID
    assert extensions.TRANSMISSION_OFFSET not in negotiated.remote.extensions.values()
    slot_feedback = {codec.feedback for codec in negotiated.consumers[-1].codecs}
    assert slot_feedback == {frozenset({"transport-cc", "ccm fir", "nack", "nack pli"})}


def test_slots_of_chromium_report_numbers_of_sound_too() -> None:
    consumers = decide(REAL_OFFERS["chromium_sdk_join"]).consumers
    assert all(is_numbered(consumer) for consumer in consumers)
    assert {consumer.kind.value for consumer in consumers} == {"audio", "video"}


@pytest.mark.parametrize(
    ("lines", "feedback"),
    [
        (("goog-remb", "transport-cc"), {"goog-remb"}),
        ((f"extmap:3 {TWCC_URI}", "goog-remb", "transport-cc"), {"transport-cc"}),
        ((f"extmap:3 {TWCC_URI}", "goog-remb"), {"goog-remb"}),
    ],
)
def test_a_viewer_that_cannot_report_numbers_may_estimate_by_itself(lines: tuple[str, ...], feedback: set[str]) -> None:
    written = [f"a={line}" if line.startswith("extmap") else f"a=rtcp-fb:111 {line}" for line in lines]
    (slot,) = decide(offer(audio("0", "recvonly", *written))).consumers
    assert slot.codecs[0].feedback == feedback
    (section,) = decide(offer(audio("0", "sendonly", *written))).producers
    assert "goog-remb" not in section.codecs[0].feedback, "a publisher is told by our own feedback"


@pytest.mark.parametrize(("direction", "taken"), [("sendonly", {"nack"}), ("recvonly", set()), ("sendrecv", set())])
def test_lost_sound_is_asked_for_of_who_only_sends(direction: str, taken: set[str]) -> None:
    (section,) = decide(offer(audio("0", direction, "a=rtcp-fb:111 nack"))).accepted
    assert codecs_of(section)[0].feedback == taken


@pytest.mark.parametrize(
    ("offer", "taken"), [("chromium_simulcast_data", False), ("chromium_vp9_svc", True), ("chromium_av1_svc", True)]
)
def test_dependency_descriptor_is_taken_but_with_vp8(offer: str, taken: bool) -> None:
    camera = next(section for section in decide(REAL_OFFERS[offer]).accepted if section.offered.line.media == "video")
    assert (extensions.DEPENDENCY_DESCRIPTOR in {extension.uri for extension in camera.extensions}) is taken


def test_firefox_publishes_by_rid_and_receives() -> None:
    negotiated = decide(REAL_OFFERS["firefox_simulcast"])
    assert roles(negotiated) == [PublishSection, PublishSection, SlotSection, SlotSection, RejectedSection]
    assert negotiated.producers[1].encodings == tuple(EncodingParameters(rid=Rid(rid)) for rid in ("q", "h", "f"))
    assert negotiated.producers[0].encodings == (EncodingParameters(ssrc=Ssrc(2415390911)),)
    modes = [codec.fmtp.get("packetization-mode") for codec in negotiated.producers[1].codecs if codec.name == "H264"]
    assert modes == ["1", None, "1", None]
    assert extensions.PLAYOUT_DELAY not in {extension.uri for extension in negotiated.accepted[1].extensions}


def test_ffmpeg_insists_on_being_the_passive_side() -> None:
    with pytest.raises(SdpError, match="a=setup:passive"):
        decide(REAL_OFFERS["ffmpeg_whip"])
    negotiated = decide(REAL_OFFERS["ffmpeg_whip"], active_dtls=True)
    assert negotiated.setup is Setup.ACTIVE
    assert negotiated.remote.awaits_dtls
    assert not decide(REAL_OFFERS["chromium_h264"], active_dtls=True).remote.awaits_dtls
    assert negotiated.producers[1].encodings == (EncodingParameters(None, Ssrc(2467936510), Ssrc(2467936511)),)
    assert negotiated.remote.extensions == {}


@pytest.mark.parametrize(
    ("name", "first"), [("chromium_vp9_svc", "VP9"), ("chromium_av1_svc", "AV1"), ("chromium_h264", "H264")]
)
def test_the_preferred_codec_stays_first(name: str, first: str) -> None:
    video_producer = decide(REAL_OFFERS[name]).producers[0]
    assert video_producer.codecs[0].name == first
    assert len(video_producer.encodings) == 1  # SVC is one stream


# Which sections


def test_an_inactive_section_keeps_its_place_without_a_role() -> None:
    negotiated = decide(offer(audio("0", "sendonly"), video("1", "inactive")))
    assert roles(negotiated) == [PublishSection, IdleSection]
    assert negotiated.bundle == ("0", "1")


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        (["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1"], "Media 'application'"),
        (["m=text 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1"], "Media 'text'"),
        (["m=video 9 RTP/AVP 96", "a=mid:1", "a=rtpmap:96 VP8/90000"], "Protocol 'RTP/AVP'"),
        ([line for line in video("1", "sendonly") if line != "a=rtcp-mux"], "no a=rtcp-mux"),
        ([line.replace("m=video 9", "m=video 0") for line in video("1", "sendonly")], "port 0"),
        (video("1", "sendonly", formats="97"), "None of its 1 formats"),
        ([line.replace("VP8", "H265") for line in video("1", "sendonly")], "None of its 2 formats"),
    ],
)
def test_what_we_do_not_take_is_rejected_alone(section: list[str], reason: str) -> None:
    negotiated = decide(offer(audio("0", "sendonly"), section))
    assert roles(negotiated) == [PublishSection, RejectedSection]
    rejected = negotiated.sections[1]
    assert isinstance(rejected, RejectedSection)
    assert reason in rejected.reason
    assert negotiated.bundle == ("0",)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"publish": frozenset({MediaKind.AUDIO})}, [PublishSection, RejectedSection, SlotSection]),
        ({"receive": frozenset()}, [PublishSection, PublishSection, RejectedSection]),
        ({"forbidden": frozenset({Mid("0")})}, [RejectedSection, PublishSection, SlotSection]),
        ({"publish_sections_max": 1}, [PublishSection, RejectedSection, SlotSection]),
        ({"slots_max": 0}, [PublishSection, PublishSection, RejectedSection]),
    ],
)
def test_the_policy_rejects_sections(policy: dict[str, object], expected: list[type]) -> None:
    text = offer(audio("0", "sendonly"), video("1", "sendonly"), video("2", "recvonly"))
    assert roles(decide(text, **policy)) == expected


def test_a_bundle_only_section_has_port_0_and_is_taken() -> None:
    bundled = [line.replace("m=video 9", "m=video 0") for line in video("1", "sendonly", "a=bundle-only")]
    text = offer(audio("0", "sendonly", *TRANSPORT), bundled, session=())
    assert roles(decide(text)) == [PublishSection, PublishSection]


def test_the_transport_comes_from_a_section_that_tells_it_even_a_rejected_one() -> None:
    text = offer(video("1", "sendonly", *TRANSPORT), audio("0", "sendonly"), session=(), bundle="1 0")
    assert decide(text, forbidden=frozenset({Mid("1")})).remote.ice.ufrag == "peer"


def test_sections_outside_the_first_bundle_group_are_rejected() -> None:
    sections = (audio("0", "sendonly"), video("1", "sendonly"))
    assert roles(decide(offer(*sections, bundle="1"))) == [RejectedSection, PublishSection]
    alone = decide(offer(*sections, bundle=""))
    assert roles(alone) == [PublishSection, RejectedSection]
    assert alone.bundle == ()


# Encodings


SIMULCAST = ("a=rid:q send", "a=rid:h send", "a=rid:f send")


def test_simulcast_keeps_the_order_of_the_offer_and_takes_first_alternatives() -> None:
    assert [item.rid for item in encodings(*SIMULCAST, "a=simulcast:send f;h;q")] == ["f", "h", "q"]
    assert [item.rid for item in encodings(*SIMULCAST, "a=simulcast:send q,h;~f")] == ["q", "f"]
    assert [item.rid for item in encodings(*SIMULCAST, "a=simulcast:recv x send x,h;f")] == ["h", "f"]


def test_no_more_encodings_than_the_policy_allows() -> None:
    text = offer(video("0", "sendonly", *SIMULCAST, "a=simulcast:send q;h;f"))
    (producer,) = decide(text, encodings_max=2).producers
    assert [encoding.rid for encoding in producer.encodings] == ["q", "h"]


def test_a_rid_for_codecs_that_we_do_not_take_is_left_out() -> None:
    lines = (
        "a=rid:q send pt=96",
        "a=rid:h send pt=97,96;max-width=640;x=1",
        "a=rid:f send pt=99",
        "a=simulcast:send q;h;f",
    )
    negotiated = decide(offer(video("0", "sendonly", *lines)))
    (section,) = negotiated.accepted
    assert isinstance(section, PublishSection)
    assert [(line.rid, line.payload_types, line.restrictions) for line in section.rids] == [
        ("q", (96,), {}),
        ("h", (96,), {"max-width": "640"}),
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), [(None, None)]),
        (("a=ssrc:5 cname:x",), [(5, None)]),
        (("a=ssrc:5",), [(5, None)]),
        (("a=ssrc:6 cname:x", "a=ssrc:5 cname:x", "a=ssrc-group:FID 5 6"), [(5, 6)]),
        (("a=ssrc:5 cname:x", "a=ssrc:6 cname:x", "a=ssrc-group:FEC-FR 5 6"), [(5, None)]),
        (("a=ssrc-group:SIM 5 7 9", "a=ssrc-group:FID 5 6", "a=ssrc-group:FID 9 10"), [(5, 6), (7, None), (9, 10)]),
        (("a=ssrc:0 cname:x",), [(None, None)]),
        (("a=ssrc:5 cname:x", "a=ssrc:8 cname:y"), [(5, None)]),
    ],
)
def test_declared_ssrcs(lines: tuple[str, ...], expected: list[tuple[int | None, int | None]]) -> None:
    assert [(item.ssrc, item.rtx_ssrc) for item in encodings(*lines)] == expected


def test_a_retransmission_ssrc_needs_a_retransmission_payload_type() -> None:
    assert encodings("a=ssrc:5 cname:x", "a=ssrc-group:FID 5 6", formats="96")[0].rtx_ssrc is None


# Codecs


def codecs(*lines: str, formats: str) -> list[RtpCodec]:
    (section,) = decide(offer(video("0", "sendonly", *lines, formats=formats))).accepted
    return list(codecs_of(section))


RED = ("a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111")


@pytest.mark.parametrize(
    ("direction", "lines", "taken"),
    [
        ("recvonly", RED, 63),
        ("sendonly", RED, None),
        ("recvonly", ("a=rtpmap:63 red/48000/2",), None),
        ("recvonly", ("a=rtpmap:63 red/48000/2", "a=fmtp:63 111/9"), None),
        ("recvonly", ("a=rtpmap:63 red/48000/2", "a=fmtp:63 12345/12345"), None),
        ("recvonly", ("a=rtpmap:63 red/8000", "a=fmtp:63 111/111"), None),
    ],
)
def test_redundancy_of_sound_is_taken_toward_viewers(direction: str, lines: tuple[str, ...], taken: int | None) -> None:
    section = audio("0", direction, *lines)
    section[0] += " 63"
    (decided,) = decide(offer(section)).sections
    assert isinstance(decided, (SlotSection, PublishSection))
    codecs = decided.consumer.codecs if isinstance(decided, SlotSection) else decided.producer.codecs
    assert [(codec.payload_type, codec.red_payload_type) for codec in codecs] == [(111, taken)]


def test_payload_types_that_look_like_rtcp_are_not_taken() -> None:
    taken = codecs("a=rtpmap:72 VP9/90000", "a=rtpmap:95 rtx/90000", "a=fmtp:95 apt=96", formats="72 96 95")
    assert [(codec.payload_type, codec.rtx_payload_type) for codec in taken] == [(96, None)]


@pytest.mark.parametrize("repaired", ["x", "", "-1", "999", "9999", "٩٦"])
def test_rtx_for_nothing_is_left_out(repaired: str) -> None:
    (vp8,) = codecs("a=rtpmap:98 rtx/90000", f"a=fmtp:98 apt={repaired}", formats="96 98")
    assert vp8.rtx_payload_type is None


def test_feedback_for_all_payload_types_counts_and_transport_cc_needs_its_extension() -> None:
    (without,) = codecs("a=rtcp-fb:* ccm fir", "a=rtcp-fb:* transport-cc", formats="96")
    assert without.feedback == {"ccm fir", "nack", "nack pli"}
    (with_extension,) = codecs(f"a=extmap:3 {TWCC_URI}", "a=rtcp-fb:* transport-cc", formats="96")
    assert with_extension.feedback == {"transport-cc", "nack", "nack pli"}


# Header extensions


def test_ids_above_14_need_extmap_allow_mixed() -> None:
    lines = ("a=extmap:1 urn:a", "a=extmap:15 urn:b", "a=extmap:16 urn:c", "a=extmap:4100 urn:d")
    text = offer(audio("0", "sendonly", *lines))
    assert decide(text).remote.extensions == {1: "urn:a"}
    mixed = offer(audio("0", "sendonly", "a=extmap-allow-mixed", *lines))
    assert decide(mixed).remote.extensions == {1: "urn:a", 16: "urn:c"}


def test_directions_of_extensions_are_turned_round_or_left_out() -> None:
    lines = ("a=extmap:1/sendonly urn:a", "a=extmap:2/recvonly urn:b", "a=extmap:3/inactive urn:c", "a=extmap:4 urn:a")
    publish, slot = decide(offer(audio("0", "sendonly", *lines), audio("1", "recvonly", *lines[:3]))).accepted
    assert [(item.id, item.direction.value) for item in publish.extensions] == [(1, "recvonly")]
    assert [(item.id, item.direction.value) for item in slot.extensions] == [(2, "sendonly")]


def test_encrypted_extensions_are_never_taken() -> None:
    text = offer(audio("0", "sendonly", f"a=extmap:1 {extensions.ENCRYPTED} {MID_URI}", f"a=extmap:2 {MID_URI}"))
    assert decide(text).remote.extensions == {2: MID_URI}


# Offers that cannot be answered


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (offer(), "none of the 0 sections"),
        (offer(audio("0", "sendonly", "a=bad"), session=()), "no a=ice-ufrag"),
        (offer(audio("0", "sendonly"), session=TRANSPORT[:2]), "no certificate fingerprint"),
        (
            offer(audio("0", "sendonly"), session=(*TRANSPORT[:2], f"a=fingerprint:sha-1 {':'.join(['AB'] * 20)}")),
            "no cert",
        ),
        (offer(audio("0", "sendonly"), session=(*TRANSPORT, "a=ice-lite")), "nobody would check"),
        (offer(audio("0", "sendonly"), session=(*TRANSPORT[:3], "a=setup:holdconn")), "holdconn"),
        (
            offer(audio("0", "sendonly", "a=extmap:1 urn:a"), video("1", "recvonly", "a=extmap:1 urn:b")),
            "header extension id 1 is 'urn:a' and 'urn:b'",
        ),
        (
            offer(audio("0", "sendonly", "a=extmap:1 urn:a"), video("1", "recvonly", "a=extmap:2 urn:a")),
            "has the ids 1 and 2",
        ),
        (
            offer(video("0", "sendonly"), [line.replace("VP8", "VP9") for line in video("1", "recvonly")]),
            "payload type 96 is vp8/90000 and vp9/90000",
        ),
        (
            offer(video("0", "sendonly", "a=ssrc:7 cname:x"), audio("1", "sendonly", "a=ssrc:7 cname:x")),
            "SSRC 7 stands for two streams",
        ),
    ],
)
def test_an_offer_that_cannot_be_answered_says_why(text: str, complaint: str) -> None:
    with pytest.raises(SdpError) as caught:
        decide(text)
    assert complaint in str(caught.value)
