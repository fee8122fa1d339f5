"""Known answers of SRTP and SRTCP in the three profiles: what libsrtp must compute before it may carry a class.

The packets are those of RFC 7714 sections 16 and 17. The RFC gives session keys, libsrtp takes master keys; so the
sealed packets here come from tests/oracle/srtp.py, which tests hold against the vectors of RFC 3711 B and RFC 7714.
"""

from __future__ import annotations

from typing import NamedTuple

from media.native.libsrtp import Profile

RTP_PACKET = bytes.fromhex(
    "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573"
)
RTCP_PACKET = bytes.fromhex(
    "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef"
    "deadbeef"
)


class KnownAnswer(NamedTuple):
    """What the first packets of a session must look like."""

    profile: Profile
    key_and_salt: bytes
    sealed_rtp: bytes
    sealed_rtcp: bytes  # with SRTCP index 1


KNOWN_ANSWERS = (
    KnownAnswer(
        Profile.AEAD_AES_128_GCM,
        bytes(range(16)) + bytes(range(0xA0, 0xAC)),
        bytes.fromhex(
            "8040f17b 8041f8d3 5501a0b2 56fd13d1 6ae124e4 95bd52cb 9d53c8e0 cdc3ef46 0b1af1bc 07036df1 1f554003"
            "b9a2ca04 074f31da b216ff9c 760886cc ad1ea77f 21e3"
        ),
        bytes.fromhex(
            "81c8000d 4d617273 415477c2 1158eee6 e12b9126 0d0e6e82 202224e2 56a4d53e 772695a3 2ca26667 e3129f38"
            "47f33ce4 95291361 999469fa 89af0a00 8dffb639 7824e3eb 80000001"
        ),
    ),
    KnownAnswer(
        Profile.AEAD_AES_256_GCM,
        bytes(range(32)) + bytes(range(0xA0, 0xAC)),
        bytes.fromhex(
            "8040f17b 8041f8d3 5501a0b2 957960ba b41213d8 5ec9a2e9 c256cbd9 dd4723d6 951a6750 7a00e18a 3899db6b"
            "9f7e1775 a4dcf349 ca95492a f0d3c84a 9c40e9f9 dca9"
        ),
        bytes.fromhex(
            "81c8000d 4d617273 c043b1d1 837b0619 bcc87e17 87098340 6e8a1d93 4e99317b f307a949 2d9ec01b 67247acc"
            "e926ce00 b536d046 7bd077aa 033a0b7d 8435000c 7395db29 80000001"
        ),
    ),
    KnownAnswer(
        Profile.AES128_CM_SHA1_80,
        bytes(range(16)) + bytes(range(0xA0, 0xAE)),
        bytes.fromhex(
            "8040f17b 8041f8d3 5501a0b2 890179fa 36e7b215 151b43d9 35667e6a b40f4b20 b6497fcb 4c3ac8ce 7d2855d8"
            "c1587d1d 8b4cc5c0 bd011339 f7aeaff9"
        ),
        bytes.fromhex(
            "81c8000d 4d617273 8f5462e9 a7193050 ace438f9 148206ce f6af5dd4 18355556 53ba41b3 ce2fcd53 a8bcadfd"
            "0513ad2c e6806351 80000001 8ad18efe d788831f 235e"
        ),
    ),
)
