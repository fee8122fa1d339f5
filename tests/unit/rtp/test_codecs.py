"""Which codec of a viewer plays which stream."""

from __future__ import annotations

import pytest

from media.rtp.codecs import is_forwarded, match_codec
from media.rtp.h264 import H264Profile, parse_packetization_mode, parse_profile
from media.rtp.parameters import MediaKind, PayloadType, RtpCodec


def codec(name: str, payload_type: int = 96, *, rate: int = 90_000, channels: int = 1, **fmtp: str) -> RtpCodec:
    parameters = {key.replace("_", "-"): value for key, value in fmtp.items()}
    return RtpCodec(name, PayloadType(payload_type), rate, channels, parameters)


def h264(profile: str, mode: int = 1, payload_type: int = 96) -> RtpCodec:
    return codec("H264", payload_type, profile_level_id=profile, packetization_mode=str(mode))


OPUS = codec("opus", 111, rate=48_000, channels=2)


def test_names_compare_without_case_and_rates_exactly() -> None:
    assert match_codec(codec("VP8"), [codec("AV1", 45), codec("vp8", 100)]) == codec("vp8", 100)
    assert match_codec(codec("VP8"), [codec("VP8", rate=45_000)]) is None
    assert match_codec(codec("VP8"), []) is None


def test_opus_matches_whatever_its_parameters() -> None:
    viewer = codec("opus", 109, rate=48_000, channels=2, stereo="1", useinbandfec="1")
    assert match_codec(OPUS, [codec("PCMU", 0, rate=8_000), viewer]) is viewer


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("42001f", H264Profile.BASELINE),
        ("42e01f", H264Profile.CONSTRAINED_BASELINE),
        ("42E01F", H264Profile.CONSTRAINED_BASELINE),
        ("42c02a", H264Profile.CONSTRAINED_BASELINE),
        ("4d801f", H264Profile.CONSTRAINED_BASELINE),
        ("58c01f", H264Profile.CONSTRAINED_BASELINE),
        ("58801f", H264Profile.BASELINE),
        ("4d001f", H264Profile.MAIN),
        ("64001f", H264Profile.HIGH),
        ("640c1f", H264Profile.CONSTRAINED_HIGH),
        ("f4001f", None),
        ("64011f", None),
        ("42e01", None),
        ("42e01f0", None),
        ("42 01f", None),
        ("xxxxxx", None),
        ("４２００１ｆ", None),
        ("", None),
    ],
)
def test_h264_profiles(text: str, profile: H264Profile | None) -> None:
    assert parse_profile({"profile-level-id": text}) is profile


def test_h264_defaults() -> None:
    assert parse_profile({}) is H264Profile.BASELINE
    assert parse_packetization_mode({}) == 0
    assert parse_packetization_mode({"packetization-mode": "2"}) is None


@pytest.mark.parametrize(
    ("produced", "offered", "expected"),
    [
        (h264("42e01f"), [h264("42001f"), h264("42e01f", payload_type=97)], 1),  # the exact profile first
        (h264("42e034"), [h264("42e00d")], 0),  # levels are not compared
        (h264("42e01f"), [h264("64001f"), h264("4d001f")], 1),  # the closest decoder
        (h264("4d001f"), [h264("42e01f"), h264("64001f")], 1),
        (h264("64001f"), [h264("42e01f"), h264("4d001f"), h264("640c1f")], None),
        (h264("42001f"), [h264("42e01f")], 0),  # Chromium's first payload type to Firefox
        (h264("42001f"), [h264("4d001f"), h264("64001f")], None),
        (h264("42e01f", 1), [h264("42e01f", 0)], None),
        (h264("42e01f", 0), [h264("42e01f", 1)], 0),
        (h264("42e01f", 0), [h264("42e01f", 1), h264("4d001f", 0)], 1),  # the mode counts more than the profile
        (h264("nonsense"), [h264("42e01f")], None),
        (h264("42e01f"), [h264("nonsense"), h264("42e01f", 2)], None),
    ],
)
def test_h264_matches(produced: RtpCodec, offered: list[RtpCodec], expected: int | None) -> None:
    assert match_codec(produced, offered) is (None if expected is None else offered[expected])


def test_every_h264_payload_type_of_chromium_finds_itself() -> None:
    offered = [
        h264(profile, mode, 100 + index)
        for index, (profile, mode) in enumerate(
            [("42001f", 1), ("42001f", 0), ("42e01f", 1), ("42e01f", 0), ("4d001f", 1), ("4d001f", 0)]
        )
    ]
    for produced in offered:
        assert match_codec(produced, offered) is produced


def test_vp9_profiles_must_be_the_same() -> None:
    profiles = [codec("VP9", 98, profile_id="0"), codec("VP9", 100, profile_id="2")]
    assert match_codec(codec("VP9"), profiles) is profiles[0]
    assert match_codec(codec("VP9", profile_id="2"), profiles) is profiles[1]
    assert match_codec(codec("VP9", profile_id="1"), profiles) is None


def test_av1_profiles_contain_each_other() -> None:
    main, high = codec("AV1", 45, profile="0"), codec("AV1", 46, profile="1")
    assert match_codec(codec("AV1"), [high, main]) is main
    assert match_codec(codec("AV1"), [high]) is high
    assert match_codec(high, [main]) is None
    assert match_codec(codec("AV1", profile="9"), [main, high]) is None


def test_an_unknown_codec_matches_by_name_rate_and_channels() -> None:
    stereo, mono = codec("L16", 10, rate=44_100, channels=2), codec("L16", 11, rate=44_100)
    assert match_codec(mono, [stereo, mono]) is mono
    assert match_codec(mono, [stereo]) is None


@pytest.mark.parametrize(
    ("kind", "offered", "forwarded"),
    [
        (MediaKind.AUDIO, OPUS, True),
        (MediaKind.AUDIO, codec("opus", rate=48_000), False),
        (MediaKind.AUDIO, codec("opus", rate=16_000, channels=2), False),
        (MediaKind.AUDIO, codec("VP8"), False),
        (MediaKind.AUDIO, codec("G722", rate=8_000), False),
        (MediaKind.VIDEO, codec("VP8"), True),
        (MediaKind.VIDEO, codec("VP8", rate=1), False),
        (MediaKind.VIDEO, codec("rtx"), False),
        (MediaKind.VIDEO, codec("red"), False),
        (MediaKind.VIDEO, codec("VP9", profile_id="2"), True),
        (MediaKind.VIDEO, codec("VP9", profile_id="3"), False),
        (MediaKind.VIDEO, codec("AV1"), True),
        (MediaKind.VIDEO, codec("AV1", profile="7"), False),
        (MediaKind.VIDEO, h264("42e01f", 0), True),
        (MediaKind.VIDEO, h264("42e01f", 2), False),
        (MediaKind.VIDEO, h264("zz"), False),
        (MediaKind.VIDEO, codec("H265"), False),
    ],
)
def test_what_the_engine_takes(kind: MediaKind, offered: RtpCodec, forwarded: bool) -> None:
    assert is_forwarded(kind, offered) is forwarded
