"""RTP sealed without libsrtp: the vectors of RFC 7714, the twin, libsrtp at the other end, and rollovers in a room."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.native import libcrypto, rtcp, sealer
from media.native.libcrypto import CipherFunctions, derive_rtp_keys, locate_cipher, locate_in
from media.native.libsrtp import SrtpUnavailable
from media.native.sealer import GCM_PROFILES, PacketSealer
from media.native.srtp import Profile, SrtpSession
from media.native.srtp_answers import KNOWN_ANSWERS, RTP_PACKET, KnownAnswer
from tests.oracle.srtp import RTP_LABELS, GcmKeys, derive, session_keys
from tests.support.arrivals import WRAPS
from tests.support.native_camera import Camera
from tests.support.native_peer import VIEWER_RTX, Peer, Room

profiles = pytest.mark.parametrize("profile", GCM_PROFILES)
TEACHER, TRACK, VIEWER, SLOT = 1, 10, 2, 200


def key_of(profile: Profile) -> bytes:
    return bytes(range(9, 9 + profile.key_bytes + profile.salt_bytes))


def twin_of(profile: Profile) -> GcmKeys:
    key = key_of(profile)
    keys = session_keys(key[: profile.key_bytes], key[profile.key_bytes :], RTP_LABELS)
    assert isinstance(keys, GcmKeys)
    return keys


def packet_of(index: int, payload: bytes, ssrc: int = 77) -> bytes:
    return bytes([0x80, 96]) + (index & 0xFFFF).to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big") + payload


def test_keys_are_derived_as_rfc_3711_and_7714_have_it() -> None:
    for profile in GCM_PROFILES:
        key = key_of(profile)
        master, salt = key[: profile.key_bytes], key[profile.key_bytes :]
        assert derive_rtp_keys(profile, key) == (
            derive(master, salt, 0, profile.key_bytes),
            derive(master, salt, 2, profile.salt_bytes),
        )


@pytest.mark.parametrize("answer", KNOWN_ANSWERS, ids=lambda answer: answer.profile.name)
def test_known_answers(answer: KnownAnswer) -> None:
    if answer.profile in GCM_PROFILES:
        ours = PacketSealer(answer.profile, answer.key_and_salt)
        assert ours.seal(RTP_PACKET, 12, 0xF17B) == answer.sealed_rtp
    else:
        with pytest.raises(ValueError, match=f"Profile is {answer.profile.name}, expected one of GCM"):
            PacketSealer(answer.profile, answer.key_and_salt)


@profiles
@settings(max_examples=60)
@given(
    payload=st.binary(max_size=1300),
    rest=st.binary(max_size=80),
    ssrc=st.integers(0, 0xFFFFFFFF),
    index=st.integers(0, (1 << 48) - 1) | st.sampled_from([*WRAPS, *(65536 * turn for turn in WRAPS)]),
)
def test_equals_the_twin(profile: Profile, payload: bytes, rest: bytes, ssrc: int, index: int) -> None:
    header = packet_of(index, rest, ssrc)
    expected = twin_of(profile).seal(header, payload, ssrc.to_bytes(4, "big"), index)
    assert PacketSealer(profile, key_of(profile)).seal(header + payload, len(header), index) == expected


@profiles
@pytest.mark.parametrize("start", WRAPS)
def test_libsrtp_opens_it_through_rollovers(profile: Profile, start: int) -> None:
    ours, peer = PacketSealer(profile, key_of(profile)), SrtpSession(profile, key_of(profile), "inbound")
    first = min(start, 32767)  # beyond, libsrtp may take the first packet for one of before a rollover
    for index in range(first, first + 200_000, 997):
        packet = packet_of(index, b"payload" * (index % 50))
        assert peer.unprotect(ours.seal(packet, 12, index)) == packet


@profiles
def test_what_cannot_be_sealed_is_refused_with_its_numbers(profile: Profile) -> None:
    ours = PacketSealer(profile, key_of(profile))
    for packet, header, index in (
        (bytes(11), 12, 0),
        (bytes(40), 11, 0),
        (bytes(40), -1, 0),
        (bytes(40), 41, 0),
        (bytes(40), 12, 1 << 48),
        (bytes(65536), 12, 0),
    ):
        with pytest.raises(ValueError, match=f"A packet of {len(packet)} bytes with a header of {header} and index"):
            ours.seal(packet, header, index)
    assert len(ours.seal(bytes(65535), 12, 0)) == 65535 + 16
    with pytest.raises(ValueError, match=f"29 bytes|45 bytes.*expected .* for {profile.name}"):
        PacketSealer(profile, key_of(profile) + b"x")
    ours.close()
    ours.close()
    assert ours.closed
    with pytest.raises(ValueError, match="closed"):
        ours.seal(bytes(40), 12, 0)
    with pytest.raises(ValueError, match="closed"):
        ours.handle  # noqa: B018


# The guard: an OpenSSL of another shape must not be called.


def test_a_library_without_openssl_is_refused() -> None:
    with pytest.raises(SrtpUnavailable, match=r"^pylibsrtp shows no function EVP_CIPHER_CTX_new of its OpenSSL"):
        locate_in(ctypes.CDLL(None, handle=ctypes.CDLL("libm.so.6")._handle))


def test_another_openssl_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "OPENSSL_MAJOR_TESTED", 4)
    with pytest.raises(SrtpUnavailable, match=r"^pylibsrtp brings OpenSSL 3, expected 4$"):
        locate_cipher()


def test_a_missing_pylibsrtp_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylibsrtp._binding", None)
    with pytest.raises(SrtpUnavailable, match=r"^pylibsrtp 1\.0 is needed for SRTP, but does not import"):
        locate_cipher()


@pytest.mark.parametrize(("name", "other"), [("EVP_aes_128_gcm", "EVP_aes_256_gcm"), ("EVP_Cipher", "returns_zero")])
def test_functions_that_compute_something_else_are_refused(name: str, other: str) -> None:
    functions = locate_cipher()
    zero = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0)
    address = ctypes.cast(zero, ctypes.c_void_p).value if other == "returns_zero" else getattr(functions, other)
    with pytest.raises(SrtpUnavailable, match=r"^OpenSSL failed its known-answer test for AEAD_AES_128_GCM: expected"):
        sealer.verify(CipherFunctions(**(functions._asdict() | {name: address})))
    sealer.verify(functions)


def test_nothing_is_printed_when_the_interpreter_ends() -> None:
    program = (
        "import sys, media.native.sealer as sealer\n"
        "kept = sealer.PacketSealer(7, bytes(28))\nsys.modules['keeper'] = kept\n"
    )
    done = subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")


# In a room: whoever opens counts rollovers for himself, and finds those that the worker counts.


@pytest.mark.parametrize("profile", list(Profile))
def test_rollovers_of_a_viewers_numbers_are_counted(profile: Profile) -> None:
    room, camera, teacher, viewer = open_room(profile, first=65500)
    for _ in range(100):
        room.send(teacher, *camera.frame())
    assert [packet.number for packet in viewer.take_rtp()] == [(65500 + i) % 65536 for i in range(101)]
    room.send_rtcp(viewer, rtcp.write_nack(VIEWER, SLOT, [65499 + 3, 20]))  # of before and after
    assert {packet.header.payload_type for packet in viewer.take_rtp()} == {VIEWER_RTX}
    assert room.counters()["nack_served"] == 2
    room.close()


@pytest.mark.parametrize("profile", GCM_PROFILES)
def test_with_other_keys_rollovers_are_counted_anew(profile: Profile) -> None:
    room, camera, teacher, viewer = open_room(profile, first=65500)
    for _ in range(100):
        room.send(teacher, *camera.frame())
    viewer.take_rtp()
    viewer.came.clear()
    key = bytes(range(100, 100 + len(key_of(profile))))
    inbound, outbound = SrtpSession(profile, key, "inbound"), SrtpSession(profile, key, "outbound")
    ours = PacketSealer(profile, key)
    room.worker.set_keys(VIEWER, inbound.handle, outbound.handle, ours.handle)
    viewer.sealer.close()
    viewer.opener.close()
    viewer.sealer, viewer.opener = SrtpSession(profile, key, "outbound"), SrtpSession(profile, key, "inbound")
    room.send(teacher, *camera.frame())
    assert [packet.number for packet in viewer.take_rtp()] == [65]
    room.send_rtcp(viewer, rtcp.write_nack(VIEWER, SLOT, [65499]))  # no such packet
    assert viewer.take_rtp() == []
    room.close()
    for session in (inbound, outbound, ours):
        session.close()


def open_room(profile: Profile, first: int) -> tuple[Room, Camera, Peer, Peer]:
    """Return a room in which a viewer has seen a key frame of one packet, under the number `first`."""
    room = Room(profile)
    teacher, viewer = room.join(TEACHER), room.join(VIEWER)
    room.publish_video(TRACK, teacher)
    room.subscribe(SLOT, viewer, TRACK, first=first)
    camera = Camera(77, b"10")
    room.send(teacher, *camera.frame(key=True))
    return room, camera, teacher, viewer
