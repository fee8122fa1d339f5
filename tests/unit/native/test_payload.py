"""Codec inspection: what real and made payloads tell, every prefix, and equality with the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native import payload
from media.native.payload import Facts
from media.native.rtp import MalformedPacket
from tests.fuzz import fuzz_payload as samples
from tests.oracle import payload as oracle
from tests.oracle.agreement import outcome, prefixes
from tests.oracle.payload_reader import NOTHING

VP8, H264, VP9, AV1 = payload.CODEC_VP8, payload.CODEC_H264, payload.CODEC_VP9, payload.CODEC_AV1
VIDEO = [VP8, H264, VP9, AV1]

# codec, payload, what differs from a payload that tells nothing
EXAMPLES = {
    "vp8 key frame": (
        VP8,
        samples.VP8_KEY_FRAME,
        {
            "key_frame": True,
            "frame_start": True,
            "temporal_id": 1,
            "layer_sync": True,
            "picture_id": 0x123,
            "picture_id_bits": 15,
            "picture_id_offset": 2,
            "tl0": 0x45,
            "tl0_offset": 4,
            "width": 322,
            "height": 182,
        },
    ),
    "vp8 short picture id, key index only": (
        VP8,
        bytes.fromhex("9090230701"),
        {"frame_start": True, "picture_id": 0x23, "picture_id_bits": 7, "picture_id_offset": 2},
    ),
    "vp8 tl0 without picture id": (
        VP8,
        bytes.fromhex("9060 07 80 01"),
        {"frame_start": True, "temporal_id": 2, "tl0": 7, "tl0_offset": 2},
    ),
    "vp8 without extension": (VP8, bytes.fromhex("1001"), {"frame_start": True}),
    "vp8 second partition": (VP8, bytes.fromhex("1100"), {}),
    "vp8 key frame without start code": (VP8, b"\x10" + bytes(10), {"frame_start": True, "key_frame": True}),
    "vp9 key frame": (
        VP9,
        samples.VP9_KEY_FRAME,
        {
            "key_frame": True,
            "frame_start": True,
            "temporal_id": 0,
            "spatial_id": 0,
            "picture_id": 0x123,
            "picture_id_bits": 15,
            "picture_id_offset": 1,
            "tl0": 0,
            "tl0_offset": 4,
            "width": 1280,
            "height": 720,
        },
    ),
    "vp9 upper spatial layer of a key picture": (
        VP9,
        bytes.fromhex("28 03 09 86"),
        {"frame_start": True, "temporal_id": 0, "spatial_id": 1, "tl0": 9, "tl0_offset": 2},
    ),
    "vp9 flexible": (
        VP9,
        samples.VP9_FLEXIBLE,
        {
            "frame_start": True,
            "temporal_id": 1,
            "spatial_id": 1,
            "picture_id": 127,
            "picture_id_bits": 7,
            "picture_id_offset": 1,
        },
    ),
    "h264 parameters": (
        H264,
        samples.H264_PARAMETERS,
        {"key_frame": True, "frame_start": True, "width": 1920, "height": 1080},
    ),
    "h264 full chroma": (
        H264,
        samples.H264_FULL_CHROMA,
        {"key_frame": True, "frame_start": True, "width": 320, "height": 180},
    ),
    "h264 aggregate": (
        H264,
        samples.H264_AGGREGATE,
        {"key_frame": True, "frame_start": True, "width": 322, "height": 182},
    ),
    "h264 first fragment": (H264, samples.H264_FRAGMENT, {"key_frame": True, "frame_start": True}),
    "h264 later fragment": (H264, bytes.fromhex("7c0588"), {}),
    "h264 second slice of an IDR picture": (H264, bytes.fromhex("6540"), {}),
    "h264 slice": (H264, samples.H264_SLICE, {"frame_start": True}),
    "h264 broken parameters": (H264, b"\x67\x42", {"key_frame": True, "frame_start": True}),
    "av1 key frame": (
        AV1,
        samples.AV1_KEY_FRAME,
        {"key_frame": True, "frame_start": True, "width": 1280, "height": 720},
    ),
    "av1 key frame, OBU with its size": (
        AV1,
        samples.AV1_KEY_FRAME_SIZED,
        {"key_frame": True, "frame_start": True, "width": 640, "height": 360},
    ),
    "av1 layer": (AV1, samples.AV1_LAYER, {"frame_start": True, "temporal_id": 1, "spatial_id": 2}),
    "av1 second element has the layer": (
        AV1,
        samples.AV1_WITH_LENGTHS,
        {"frame_start": True, "temporal_id": 0, "spatial_id": 0},
    ),
    "av1 tile group": (AV1, bytes.fromhex("10 20 00"), {}),
    "av1 continuation": (AV1, samples.AV1_CONTINUATION, {}),
    "opus": (payload.CODEC_OPUS, b"\xfc", {"key_frame": True, "frame_start": True}),
    "silent audio": (payload.CODEC_AUDIO, b"", {"key_frame": True, "frame_start": True}),
    "unread video": (payload.CODEC_VIDEO, b"\0", {"key_frame": True}),
}

MALFORMED = {
    "empty": (VP8, b"", "is empty"),
    "no codec": (payload.CODEC_NONE, b"\0", "no codec"),
    "codec out of range": (payload.CODEC_VIDEO + 1, b"\0", "no codec"),
    "vp8 without frame": (VP8, b"\x10", "ends within"),
    "vp8 half picture id": (VP8, b"\x80\x80\x80", "ends within"),
    "vp9 four references": (VP9, bytes.fromhex("50010101"), "forbids"),
    "vp9 half structure": (VP9, bytes.fromhex("0a 10 0140"), "ends within"),
    "vp9 half picture group": (VP9, bytes.fromhex("0a 08 01 04"), "ends within"),
    "h264 type 0": (H264, b"\x60", "forbids"),
    "h264 interleaved": (H264, b"\x79\0\0\0\1\x65", "forbids"),
    "h264 empty aggregate": (H264, b"\x18", "ends within"),
    "h264 aggregate with empty unit": (H264, b"\x18\0\0", "forbids"),
    "h264 aggregate beyond the end": (H264, b"\x18\0\3\x65\x88", "ends within"),
    "av1 header alone": (AV1, b"\x10", "ends within"),
    "av1 new sequence that continues": (AV1, b"\x98\x0a", "forbids"),
    "av1 element beyond the end": (AV1, b"\x20\x05\x0a", "ends within"),
    "av1 endless length": (AV1, b"\x00" + b"\xff" * 9, "ends within"),
}


@pytest.mark.parametrize(("codec", "data", "told"), EXAMPLES.values(), ids=EXAMPLES)
def test_what_a_payload_tells(codec: int, data: bytes, told: dict[str, object]) -> None:
    expected = Facts(**{**NOTHING._asdict(), **told})
    assert payload.inspect(codec, data) == expected
    assert oracle.inspect(codec, data) == expected


@pytest.mark.parametrize(("codec", "data", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_payload(codec: int, data: bytes, reason: str) -> None:
    with pytest.raises(MalformedPacket, match=reason):
        payload.inspect(codec, data)
    assert outcome(payload.inspect, codec, data) == outcome(oracle.inspect, codec, data)


@pytest.mark.parametrize("codec", VIDEO)
@pytest.mark.parametrize("seed", samples.SEEDS)
def test_every_prefix_and_trailing_bytes(codec: int, seed: bytes) -> None:
    for data in [*prefixes(seed), seed + b"\0", seed + b"\xff" * 5]:
        assert outcome(payload.inspect, codec, data) == outcome(oracle.inspect, codec, data)


@given(codec=st.integers(-1, 9), data=st.binary(max_size=60))
def test_random_bytes_equal_the_oracle(codec: int, data: bytes) -> None:
    assert outcome(payload.inspect, codec, data) == outcome(oracle.inspect, codec, data)


@given(
    codec=st.sampled_from(VIDEO),
    seed=st.sampled_from(samples.SEEDS),
    at=st.integers(0, 40),
    change=st.binary(min_size=1, max_size=3),
)
def test_damaged_samples_equal_the_oracle(codec: int, seed: bytes, at: int, change: bytes) -> None:
    data = seed[:at] + change + seed[at + len(change) :]
    assert outcome(payload.inspect, codec, data) == outcome(oracle.inspect, codec, data)


@given(profile=st.sampled_from([44, 66, 100, 122, 244]), body=st.binary(min_size=4, max_size=300))
def test_sequence_parameters_equal_the_oracle(profile: int, body: bytes) -> None:
    data = bytes([0x67, profile, 0, 31, 0x80 | body[0]]) + body[1:]
    assert outcome(payload.inspect, H264, data) == outcome(oracle.inspect, H264, data)


@given(st.binary(min_size=1, max_size=80))
def test_sequence_header_equals_the_oracle(body: bytes) -> None:
    data = b"\x18\x08" + body
    assert outcome(payload.inspect, AV1, data) == outcome(oracle.inspect, AV1, data)


@pytest.mark.parametrize("picture_id", [0, 1, 127, 128, 32767, 32768, 65534, 65535])
@pytest.mark.parametrize("tl0", [0, 255])
def test_patch_keeps_width_and_all_other_bytes(picture_id: int, tl0: int) -> None:
    patched = payload.patch_picture(VP8, samples.VP8_KEY_FRAME, picture_id, tl0)
    before, after = payload.inspect(VP8, samples.VP8_KEY_FRAME), payload.inspect(VP8, patched)
    assert (after.picture_id, after.tl0) == (picture_id % 32768, tl0)
    assert after._replace(picture_id=before.picture_id, tl0=before.tl0) == before
    assert patched[:2] + patched[5:] == samples.VP8_KEY_FRAME[:2] + samples.VP8_KEY_FRAME[5:]
    short = payload.patch_picture(VP8, samples.VP8_SHORT_ID, picture_id, tl0)
    assert payload.inspect(VP8, short).picture_id == picture_id % 128


@given(
    codec=st.sampled_from(VIDEO),
    data=st.one_of(st.binary(max_size=30), st.sampled_from(samples.SEEDS)),
    picture_id=st.integers(0, 65535),
    tl0=st.integers(0, 255),
)
def test_patch_equals_the_oracle(codec: int, data: bytes, picture_id: int, tl0: int) -> None:
    ours = outcome(payload.patch_picture, codec, data, picture_id, tl0)
    assert ours == outcome(oracle.patch_picture, codec, data, picture_id, tl0)


@pytest.mark.parametrize("frame_number", [0, 1, 127, 32767, 32768, 65534, 65535])
def test_frame_number_of_a_dependency_descriptor(frame_number: int) -> None:
    patched = payload.patch_descriptor(samples.DESCRIPTOR, frame_number)
    assert payload.read_descriptor(patched) == (frame_number, True, True)
    assert patched[3:] == samples.DESCRIPTOR[3:]


@given(st.binary(max_size=6), st.integers(0, 65535))
def test_descriptor_equals_the_oracle(value: bytes, frame_number: int) -> None:
    assert outcome(payload.read_descriptor, value) == outcome(oracle.read_descriptor, value)
    assert payload.patch_descriptor(value, frame_number) == oracle.patch_descriptor(value, frame_number)


@given(st.binary(max_size=3))
def test_audio_level_equals_the_oracle(value: bytes) -> None:
    assert outcome(payload.read_audio_level, value) == outcome(oracle.read_audio_level, value)


def test_audio_level() -> None:
    assert payload.read_audio_level(b"\x85") == (5, True)
    assert payload.read_audio_level(b"\x7f") == (127, False)
