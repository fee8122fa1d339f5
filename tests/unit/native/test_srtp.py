"""SRTP through libsrtp's pointers: known answers, the twin, pylibsrtp's own class, hostile packets, sessions' ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pylibsrtp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.native.srtp import Profile, SrtpError, SrtpSession, SrtpStatus
from media.native.srtp_answers import KNOWN_ANSWERS, RTCP_PACKET, RTP_PACKET, KnownAnswer
from tests.oracle.srtp import (
    AuthenticationError,
    CounterKeys,
    GcmKeys,
    ReplayError,
    SrtpTwin,
    derive,
    keystream,
    session_keys,
)
from tests.support.arrivals import WRAPS

PEERS = {
    Profile.AES128_CM_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Profile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Profile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
profiles = pytest.mark.parametrize("profile", list(Profile))
answers = pytest.mark.parametrize("answer", KNOWN_ANSWERS, ids=lambda answer: answer.profile.name)


def key_of(profile: Profile) -> bytes:
    return bytes(range(7, 7 + profile.key_bytes + profile.salt_bytes))


def pair(profile: Profile) -> tuple[SrtpSession, SrtpSession]:
    return SrtpSession(profile, key_of(profile), "outbound"), SrtpSession(profile, key_of(profile), "inbound")


def rtp_packet(number: int, payload: bytes = b"payload", ssrc: int = 77, first: int = 0x80, rest: bytes = b"") -> bytes:
    header = bytes([first, 96]) + (number % 65536).to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big")
    return header + rest + payload


def status_of(call: Callable[[bytes], bytes], packet: bytes) -> int:
    try:
        call(packet)
    except SrtpError as error:
        return error.status
    return SrtpStatus.OK


# The twin's primitives against published vectors.


def test_keystream_is_that_of_rfc_3711_b2() -> None:
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    stream = keystream(key, 0xF0F1F2F3F4F5F6F7F8F9FAFBFCFD0000, 48)
    assert stream == bytes.fromhex(
        "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0"
    )


def test_derived_keys_are_those_of_rfc_3711_b3() -> None:
    key = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(key, salt, 0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(key, salt, 2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derive(key, salt, 1, 20).hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"
    assert session_keys(key, salt, (0, 1, 2)) == CounterKeys(
        derive(key, salt, 0, 16), derive(key, salt, 2, 14), derive(key, salt, 1, 20)
    )


RFC_7714_PACKETS = {  # AES key bytes: sealed RTP (section 16), sealed RTCP (section 17)
    16: (
        bytes.fromhex(
            "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b"
            "36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce"
        ),
        bytes.fromhex(
            "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46"
            "86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4"
        ),
    ),
    32: (
        bytes.fromhex(
            "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f"
            "1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13"
        ),
        bytes.fromhex(
            "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658"
            "c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4"
        ),
    ),
}


@pytest.mark.parametrize("key_bytes", [16, 32])
def test_gcm_packets_are_those_of_rfc_7714_16_and_17(key_bytes: int) -> None:
    rtp, rtcp = RFC_7714_PACKETS[key_bytes]
    keys = GcmKeys(bytes(range(key_bytes)), b"Quid pro quo")
    assert keys.seal(RTP_PACKET[:12], RTP_PACKET[12:], RTP_PACKET[8:12], 0xF17B) == rtp
    assert keys.open(RTP_PACKET[:12], rtp[12:], RTP_PACKET[8:12], 0xF17B) == RTP_PACKET
    assert keys.seal_rtcp(RTCP_PACKET, 0x5D4) == rtcp
    assert keys.open_rtcp(rtcp, 0x5D4) == RTCP_PACKET


# The known answers that the server checks when it starts.


@answers
def test_known_answers_are_the_twins(answer: KnownAnswer) -> None:
    twin = SrtpTwin(answer.key_and_salt, answer.profile.salt_bytes)
    assert twin.protect(RTP_PACKET) == answer.sealed_rtp
    assert twin.protect_rtcp(RTCP_PACKET) == answer.sealed_rtcp


@answers
def test_sessions_compute_the_known_answers(answer: KnownAnswer) -> None:
    sealer = SrtpSession(answer.profile, answer.key_and_salt, "outbound")
    opener = SrtpSession(answer.profile, answer.key_and_salt, "inbound")
    assert sealer.protect(RTP_PACKET) == answer.sealed_rtp
    assert opener.unprotect(answer.sealed_rtp) == RTP_PACKET
    assert sealer.protect_rtcp(RTCP_PACKET) == answer.sealed_rtcp
    assert opener.unprotect_rtcp(answer.sealed_rtcp) == RTCP_PACKET


# Against pylibsrtp's own class, and against the twin.


@profiles
def test_pylibsrtp_opens_what_we_seal_and_seals_what_we_open(profile: Profile) -> None:
    ours_out, ours_in = pair(profile)
    policy = {"key": key_of(profile), "srtp_profile": PEERS[profile]}
    peer_in = pylibsrtp.Session(pylibsrtp.Policy(ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND, **policy))
    peer_out = pylibsrtp.Session(pylibsrtp.Policy(ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND, **policy))
    for index in range(300):
        packet = rtp_packet(65400 + index, bytes(index), ssrc=index % 3)
        assert peer_in.unprotect(ours_out.protect(packet)) == packet
        assert ours_in.unprotect(peer_out.protect(packet)) == packet
        assert peer_in.unprotect_rtcp(ours_out.protect_rtcp(RTCP_PACKET)) == RTCP_PACKET
        assert ours_in.unprotect_rtcp(peer_out.protect_rtcp(RTCP_PACKET)) == RTCP_PACKET


@profiles
@settings(max_examples=60)
@given(
    start=st.sampled_from(WRAPS),
    steps=st.lists(st.one_of(st.integers(-3, 3), st.integers(-1100, 1100)), max_size=40),
    payload=st.binary(max_size=40),
)
def test_equals_the_twin_replays_included(profile: Profile, start: int, steps: list[int], payload: bytes) -> None:
    sealer, opener = pair(profile)
    twin_out = SrtpTwin(key_of(profile), profile.salt_bytes)
    twin_in = SrtpTwin(key_of(profile), profile.salt_bytes)
    number = 65536 + start
    for step in steps:
        packet = rtp_packet(number, payload)
        number += step
        try:
            sealed = twin_out.protect(packet)
        except ReplayError:
            assert status_of(sealer.protect, packet) == SrtpStatus.REPLAY_OLD
            continue
        assert sealer.protect(packet) == sealed
        try:
            expected = twin_in.unprotect(sealed)
        except (ReplayError, AuthenticationError):
            assert status_of(opener.unprotect, sealed) != SrtpStatus.OK
        else:
            assert opener.unprotect(sealed) == expected == packet


@profiles
@pytest.mark.parametrize("start", WRAPS)
def test_number_wraps_do_not_break_a_stream(profile: Profile, start: int) -> None:
    sealer, opener = pair(profile)
    twin = SrtpTwin(key_of(profile), profile.salt_bytes)
    for number in range(start, start + 200_000, 997):
        packet = rtp_packet(number)
        sealed = sealer.protect(packet)
        assert sealed == twin.protect(packet)
        assert opener.unprotect(sealed) == packet


@profiles
def test_headers_with_csrcs_and_extensions_stay_in_clear(profile: Profile) -> None:
    sealer, opener = pair(profile)
    twin = SrtpTwin(key_of(profile), profile.salt_bytes)
    rest = bytes(8) + b"\xbe\xde\x00\x02" + b"\x10\x01\x22\x02\x03\x04\x00\x00"
    packet = rtp_packet(1, b"secret" * 9, first=0x92, rest=rest)
    sealed = sealer.protect(packet)
    assert sealed == twin.protect(packet)
    assert sealed[: 12 + len(rest)] == packet[: 12 + len(rest)]
    assert opener.unprotect(sealed) == packet


@profiles
def test_the_same_packet_may_be_sealed_twice_but_opens_once(profile: Profile) -> None:
    sealer, opener = pair(profile)
    sealed = sealer.protect(rtp_packet(5))
    assert sealer.protect(rtp_packet(5)) == sealed
    opener.unprotect(sealed)
    assert status_of(opener.unprotect, sealed) == SrtpStatus.REPLAY_FAIL


@profiles
def test_the_replay_window_holds_1024_packets(profile: Profile) -> None:
    sealer, opener = pair(profile)
    sealed = {number: sealer.protect(rtp_packet(number)) for number in range(3000)}
    opener.unprotect(sealed[2999])
    assert opener.unprotect(sealed[2999 - 1023]) == rtp_packet(2999 - 1023)
    assert status_of(opener.unprotect, sealed[2999 - 1024]) == SrtpStatus.REPLAY_OLD


@profiles
def test_replayed_rtcp_is_refused(profile: Profile) -> None:
    sealer, opener = pair(profile)
    sealed = sealer.protect_rtcp(RTCP_PACKET)
    opener.unprotect_rtcp(sealed)
    assert status_of(opener.unprotect_rtcp, sealed) == SrtpStatus.REPLAY_FAIL


# Hostile packets.


@profiles
def test_any_changed_bit_is_noticed_and_does_no_harm(profile: Profile) -> None:
    sealer, opener = pair(profile)
    sealed, control = sealer.protect(rtp_packet(9)), sealer.protect_rtcp(RTCP_PACKET)
    for position in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        assert status_of(opener.unprotect, bytes(changed)) != SrtpStatus.OK
    for position in range(8 * len(control)):
        changed = bytearray(control)
        changed[position // 8] ^= 1 << position % 8
        assert status_of(opener.unprotect_rtcp, bytes(changed)) != SrtpStatus.OK
    assert opener.unprotect(sealed) == rtp_packet(9)
    assert opener.unprotect_rtcp(control) == RTCP_PACKET


@profiles
def test_every_prefix_and_plaintext_and_wrong_keys_are_refused(profile: Profile) -> None:
    sealer, opener = pair(profile)
    sealed, control = sealer.protect(rtp_packet(9)), sealer.protect_rtcp(RTCP_PACKET)
    for size in range(len(sealed)):
        assert status_of(opener.unprotect, sealed[:size]) != SrtpStatus.OK
    for size in range(len(control)):
        assert status_of(opener.unprotect_rtcp, control[:size]) != SrtpStatus.OK
    assert status_of(opener.unprotect, rtp_packet(9, bytes(100))) == SrtpStatus.AUTH_FAIL
    assert status_of(opener.unprotect_rtcp, RTCP_PACKET) != SrtpStatus.OK
    stranger = SrtpSession(profile, bytes(len(key_of(profile))), "outbound")
    assert status_of(opener.unprotect, stranger.protect(rtp_packet(9))) == SrtpStatus.AUTH_FAIL


@profiles
@given(packet=st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x90\x60" + rest))
def test_random_bytes_are_refused(profile: Profile, packet: bytes) -> None:
    _, opener = pair(profile)
    assert status_of(opener.unprotect, packet) != SrtpStatus.OK
    assert status_of(opener.unprotect_rtcp, packet) != SrtpStatus.OK


@profiles
@pytest.mark.parametrize("packet", [b"", bytes(11), b"\x9f" + bytes(20), b"\x90" + bytes(11) + b"\xbe\xde\xff\xff"])
def test_what_is_no_rtp_cannot_be_sealed(profile: Profile, packet: bytes) -> None:
    sealer, _ = pair(profile)
    assert status_of(sealer.protect, packet) in {SrtpStatus.BAD_PARAM, SrtpStatus.PARSE_ERR}


@profiles
def test_the_longest_datagram_passes(profile: Profile) -> None:
    sealer, opener = pair(profile)
    packet = rtp_packet(1, bytes(65535 - 12 - 16))
    assert opener.unprotect(sealer.protect(packet)) == packet
    with pytest.raises(ValueError, match="65536 bytes"):
        sealer.protect(bytes(65536))


# Sessions begin and end.


@profiles
@pytest.mark.parametrize("change", [-1, 1])
def test_keys_must_have_the_profiles_length(profile: Profile, change: int) -> None:
    with pytest.raises(ValueError, match=f"expected {len(key_of(profile))} for {profile.name}"):
        SrtpSession(profile, bytes(len(key_of(profile)) + change), "inbound")


def test_directions_and_profiles_are_closed_choices() -> None:
    with pytest.raises(ValueError, match="'sideways'"):
        SrtpSession(Profile.AEAD_AES_128_GCM, bytes(28), "sideways")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not a valid Profile"):
        SrtpSession(2, bytes(30), "inbound")  # type: ignore[arg-type]


class CountingLibrary:
    """pylibsrtp's library, counting the sessions that were freed."""

    def __init__(self, library: object) -> None:
        self._library = library
        self.freed = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._library, name)

    def srtp_dealloc(self, session: object) -> int:
        self.freed += 1
        return int(self._library.srtp_dealloc(session))  # type: ignore[attr-defined]


def test_close_frees_libsrtps_session_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    library = CountingLibrary(vars(pylibsrtp)["lib"])
    monkeypatch.setattr(pylibsrtp, "lib", library)
    session = SrtpSession(Profile.AEAD_AES_128_GCM, bytes(28), "inbound")
    assert session.handle != 0
    session.close()
    assert (library.freed, session.closed) == (1, True)
    session.close()
    assert library.freed == 1
    with pytest.raises(ValueError, match="closed"):
        session.handle  # noqa: B018
    with pytest.raises(ValueError, match="closed"):
        session.unprotect(RTP_PACKET)
    dropped = SrtpSession(Profile.AEAD_AES_128_GCM, bytes(28), "inbound")
    del dropped
    assert library.freed == 2


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise SystemExit", "sys.modules['keeper'] = session"])
def test_nothing_is_printed_when_the_interpreter_ends(end: str) -> None:
    program = (
        "import pylibsrtp, sys, media.native.srtp as srtp\n"
        "session = srtp.SrtpSession(srtp.Profile.AEAD_AES_128_GCM, bytes(28), 'inbound')\n"
        "pylibsrtp.lib = None\n"  # what the end of the interpreter may do before it drops the session
        f"{end}\n"
    )
    done = subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")
