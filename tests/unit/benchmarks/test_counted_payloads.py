"""Frames become RTP payloads and come back; the data plane's own parser agrees about what they are."""

from __future__ import annotations

import random

import pytest

from benchmarks.counted.clip import Codec
from benchmarks.counted.payloads import PAYLOAD_BYTES_MAX, Packetiser, join_payloads, split_units
from media.native.payload import CODEC_H264, CODEC_VP8, inspect

VP8_KEY = bytes.fromhex("1002009d012a4001b400")
START = b"\x00\x00\x00\x01"


def access_unit(*units: bytes) -> bytes:
    return b"".join(START + unit for unit in units)


def filled(size: int, first: bytes = b"", seed: int = 1) -> bytes:
    """Return bytes without zeros, so that no start code is among them."""
    chance = random.Random(seed)
    return first + bytes(chance.randrange(1, 256) for _ in range(size - len(first)))


@pytest.mark.parametrize("size", [10, 1174, 1175, 1176, 5000, 60_000])
def test_vp8_there_and_back(size: int) -> None:
    frame = filled(size, VP8_KEY)
    payloads = Packetiser(Codec.VP8, first_picture_id=0x7FFF).payloads(frame)
    assert join_payloads(Codec.VP8, payloads) == frame
    assert max(map(len, payloads)) <= PAYLOAD_BYTES_MAX
    assert max(map(len, payloads)) - min(map(len, payloads)) <= 1
    assert [payload[0] & 0x10 for payload in payloads] == [0x10] + [0] * (len(payloads) - 1)


def test_vp8_picture_ids_go_on_and_wrap() -> None:
    packetiser = Packetiser(Codec.VP8, first_picture_id=0x7FFE)
    ids = [int.from_bytes(packetiser.payloads(VP8_KEY)[0][2:4]) & 0x7FFF for _ in range(4)]
    assert ids == [0x7FFE, 0x7FFF, 0, 1]


@pytest.mark.parametrize("size", [2, 1100, 1180, 1181, 5000, 60_000])
def test_h264_there_and_back(size: int) -> None:
    frame = access_unit(b"\x67" + filled(20), b"\x68" + filled(4), filled(size, b"\x65"))
    payloads = Packetiser(Codec.H264).payloads(frame)
    assert join_payloads(Codec.H264, payloads) == frame
    assert max(map(len, payloads)) <= PAYLOAD_BYTES_MAX


def test_h264_parameter_sets_share_a_packet() -> None:
    frame = access_unit(b"\x67" + filled(20), b"\x68" + filled(4), filled(3000, b"\x65"))
    payloads = Packetiser(Codec.H264).payloads(frame)
    assert [payload[0] & 0x1F for payload in payloads] == [24, 28, 28, 28]


def test_the_data_plane_sees_what_was_meant() -> None:
    first, *others = Packetiser(Codec.VP8, first_picture_id=77).payloads(filled(3000, VP8_KEY))
    facts = inspect(CODEC_VP8, first)
    assert (facts.key_frame, facts.frame_start, facts.picture_id, facts.tl0) == (True, True, 77, 77)
    assert (facts.temporal_id, facts.width, facts.height) == (0, 320, 180)
    assert [inspect(CODEC_VP8, other).frame_start for other in others] == [False] * len(others)
    frame = access_unit(b"\x67" + filled(20), b"\x68" + filled(4), filled(3000, b"\x65"))
    assert inspect(CODEC_H264, Packetiser(Codec.H264).payloads(frame)[0]).key_frame


def test_units_of_both_start_codes() -> None:
    assert split_units(b"\x00\x00\x01\x67a\x00\x00\x00\x01\x68b\x00\x00\x01\x65c") == [b"\x67a", b"\x68b", b"\x65c"]
    assert split_units(b"") == split_units(b"\x00\x00\x01") == []


@pytest.mark.parametrize("codec", [Codec.VP8, Codec.H264])
@pytest.mark.parametrize("payload", [b"", b"\x90", b"\x90\x80", b"\x78\x00\x09a", b"\x7f\x00"])
def test_damaged_payloads_raise_one_error_or_none(codec: Codec, payload: bytes) -> None:
    try:
        join_payloads(codec, [payload])
    except ValueError as error:
        assert str(error)
