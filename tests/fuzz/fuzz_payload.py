"""Payloads from arbitrary bytes, inspected as every codec, and patched: the length and all other bytes stay."""

from __future__ import annotations

from contextlib import suppress

from media.native import payload
from media.native.rtp import MalformedPacket

NATIVE = "payload"  # the loop of mutator.pyx that does the same without Python

# Key frames of libvpx, libx264 and SVT-AV1, cut after their headers.
VP8_KEY_FRAME = bytes.fromhex("90e081234560 7010009d012a4201b60000470885")  # 322 x 182
VP8_SHORT_ID = bytes.fromhex("90b02340 01020304")
VP8_CONTINUATION = bytes.fromhex("81e0812345a0 99")
VP9_KEY_FRAME = bytes.fromhex("aa8123000058 0140 00b4 0280 0168 0500 02d0 04 00 81c1c2c3 824983420014100b56")
VP9_KEY_FRAME_STRUCTURE = bytes.fromhex("8a812318 0142 00b6 02 04 1501")
VP9_FLEXIBLE = bytes.fromhex("fc7f23030424 86001234")
VP9_DELTA = bytes.fromhex("e88123500a 86001234")
H264_PARAMETERS = bytes.fromhex("6742c028da01e0089f9610000003001000000303c0f1832a")  # 1920 x 1080
H264_FULL_CHROMA = bytes.fromhex("67f4000d919681419f8d84000003000400000300f03c50aa80")  # 320 x 180, 4:4:4
H264_AGGREGATE = bytes.fromhex(
    "18 0018 6742c00dda05467889a10000030001000003003c0f142aa0 0004 68ce0fc8 0003 658882"
)  # 322 x 182
H264_FRAGMENT = bytes.fromhex("7c85888421")
H264_SLICE = bytes.fromhex("419a2460")
AV1_KEY_FRAME = bytes.fromhex("28 0c 080000002d4cffb3c4af9004 3010008c20")  # 1280 x 720
AV1_KEY_FRAME_SIZED = bytes.fromhex("18 0a0b0000000cc4ff6712be4010")  # 640 x 360, the size kept in the OBU
AV1_LAYER = bytes.fromhex("10 3430aa")
AV1_WITH_LENGTHS = bytes.fromhex("00 03 320001 02 3400")
AV1_CONTINUATION = bytes.fromhex("d0 010203")
DESCRIPTOR = bytes.fromhex("8000018003eb00")

SEEDS = [
    VP8_KEY_FRAME,
    VP8_SHORT_ID,
    VP8_CONTINUATION,
    VP9_KEY_FRAME,
    VP9_KEY_FRAME_STRUCTURE,
    VP9_FLEXIBLE,
    VP9_DELTA,
    H264_PARAMETERS,
    H264_FULL_CHROMA,
    H264_AGGREGATE,
    H264_FRAGMENT,
    H264_SLICE,
    AV1_KEY_FRAME,
    AV1_KEY_FRAME_SIZED,
    AV1_LAYER,
    AV1_WITH_LENGTHS,
    AV1_CONTINUATION,
    DESCRIPTOR,
]

CODECS = range(payload.CODEC_NONE - 1, payload.CODEC_VIDEO + 2)


def target(data: bytes) -> None:
    for codec in CODECS:
        with suppress(MalformedPacket):
            facts = payload.inspect(codec, data)
            patched = payload.patch_picture(codec, data, 0x1234, 0x56)
            again = payload.inspect(codec, patched)
            assert len(patched) == len(data)
            assert again.picture_id in {None, 0x1234, 0x34}
            assert again._replace(picture_id=facts.picture_id, tl0=facts.tl0) == facts
    with suppress(MalformedPacket):
        descriptor = payload.read_descriptor(data)
        again_number = payload.read_descriptor(payload.patch_descriptor(data, 0xFFFF))
        assert again_number == descriptor._replace(frame_number=0xFFFF)
    with suppress(MalformedPacket):
        level, _ = payload.read_audio_level(data)
        assert 0 <= level <= 127
