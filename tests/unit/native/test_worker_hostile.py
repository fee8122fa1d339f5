"""What comes that should not: it is dropped and counted, changes no row, and a class in progress does not notice."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native import rtcp
from media.native.srtp import Profile, SrtpSession
from tests.support.native_camera import Camera
from tests.support.native_peer import MID_ID, VP8_RTX, Peer, Room, rtp_packet

PUBLISHER, VIEWER = 1, 2
TRACK, SLOT = 10, 20
STRANGER = ("192.0.2.1", 9)
STRANGERS_MAX = 32
BOUND_MAX = 512


def meet(room: Room) -> tuple[Peer, Peer, Camera]:
    """Let a publisher and a viewer join, and a class begin."""
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_video(TRACK, publisher)
    room.subscribe(SLOT, viewer, TRACK)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    viewer.take_rtp()
    return publisher, viewer, camera


def rises(room: Room, datagram: bytes, source: tuple[str, int]) -> set[str]:
    """Feed a datagram and return which counters rose."""
    before = room.worker.counters()
    room.feed(datagram, source)
    return {name for name, value in room.worker.counters().items() if value > before[name]}


def goes_on(room: Room, publisher: Peer, viewer: Peer, camera: Camera) -> bool:
    """Return whether the next frame reaches the viewer, and whether all rows are there."""
    viewer.take_rtp()
    room.send(publisher, *camera.frame())
    return len(viewer.take_rtp()) == 1 and room.worker.rows() == (len(room.peers), 1, 1)


Make = Callable[[Peer, Camera], bytes]
HOSTILE: list[tuple[str, Make, str]] = [
    ("empty", lambda _peer, _camera: b"", "truncated"),
    ("plaintext RTP", lambda _peer, camera: camera.frame()[0], "srtp_rejected"),
    ("plaintext RTCP", lambda _peer, _camera: rtcp.write_pli(1, SLOT), "srtp_rejected"),
    ("RTP of two bytes", lambda _peer, _camera: b"\x80\x60", "rtp_malformed"),
    ("RTCP of two bytes", lambda _peer, _camera: b"\x80\xc8", "rtcp_malformed"),
    ("a first byte of no protocol", lambda _peer, _camera: b"\x50" * 50, "unclassified"),
    ("another version of RTP", lambda _peer, _camera: b"\xc0" * 50, "unclassified"),
    ("STUN without its cookie", lambda _peer, _camera: bytes(20), "unclassified"),
    ("a changed byte", lambda peer, camera: changed(peer.sealer.protect(camera.frame()[0])), "srtp_rejected"),
    ("a cut packet", lambda peer, camera: peer.sealer.protect(camera.frame()[0])[:-1], "srtp_rejected"),
    ("another key", lambda _peer, camera: other_key().protect(camera.frame()[0]), "srtp_rejected"),
    ("RTCP under another key", lambda _peer, _camera: other_key().protect_rtcp(rtcp.write_bye(77)), "srtp_rejected"),
    ("an unknown payload type", lambda peer, camera: peer.sealer.protect(retyped(camera, 50)), "unknown_payload_type"),
    ("an extension that leaves the packet", lambda peer, _camera: peer.sealer.protect(stretched()), "rtp_malformed"),
    (
        "RTCP that ends early",
        lambda peer, _camera: peer.sealer.protect_rtcp(b"\x81\xcd\x00\x09" + bytes(8)),
        "rtcp_malformed",
    ),
    ("no section of ours", lambda peer, _camera: peer.sealer.protect(strange(1234)), "unrouted"),
    ("an empty RTX packet", lambda peer, _camera: peer.sealer.protect(empty_rtx()), "probes"),
]


def changed(packet: bytes) -> bytes:
    return packet[:30] + bytes([packet[30] ^ 1]) + packet[31:]


def other_key() -> SrtpSession:
    profile = Profile.AEAD_AES_128_GCM
    return SrtpSession(profile, b"?" * (profile.key_bytes + profile.salt_bytes), "outbound")


def retyped(camera: Camera, payload_type: int) -> bytes:
    packet = camera.frame()[0]
    return packet[:1] + bytes([payload_type]) + packet[2:]


def stretched() -> bytes:
    """Return a packet whose extension block ends with the packet, its last element one byte behind that."""
    return struct.pack("!BBHII", 0x90, 96, 1, 1, 77) + b"\xbe\xde\x00\x01" + b"\x10\x31\x35\x00"


def strange(ssrc: int) -> bytes:
    return rtp_packet(b"?" * 20, ssrc=ssrc, number=1, timestamp=1, extensions=((MID_ID, b"elsewhere"),))


def empty_rtx() -> bytes:
    return rtp_packet(b"", ssrc=78, number=1, timestamp=1, payload_type=VP8_RTX, extensions=((MID_ID, b"10"),))


@pytest.mark.parametrize(("make", "counter"), [pytest.param(make, counter, id=name) for name, make, counter in HOSTILE])
def test_it_is_counted_and_nobody_notices(room: Room, make: Make, counter: str) -> None:
    publisher, viewer, camera = meet(room)
    assert counter in rises(room, make(publisher, camera), publisher.address)
    assert goes_on(room, publisher, viewer, camera)


@pytest.mark.parametrize("make", [make for _, make, _ in HOSTILE], ids=[name for name, _, _ in HOSTILE])
def test_strangers_are_not_heard(room: Room, make: Make) -> None:
    publisher, viewer, camera = meet(room)
    assert rises(room, make(publisher, camera), STRANGER) <= {
        "datagrams",
        "unknown_address",
        "strays",
        "unclassified",
        "truncated",
    }
    assert goes_on(room, publisher, viewer, camera)


def test_replayed_packets_are_counted(room: Room) -> None:
    publisher, viewer, camera = meet(room)
    packet = publisher.sealer.protect(camera.frame()[0])
    report = publisher.sealer.protect_rtcp(rtcp.write_bye(1))
    room.feed(packet, publisher.address)
    room.feed(report, publisher.address)
    assert rises(room, packet, publisher.address) == {"datagrams", "srtp_replayed"}
    assert rises(room, report, publisher.address) == {"datagrams", "srtp_replayed"}
    assert goes_on(room, publisher, viewer, camera)


def test_media_before_keys_is_dropped(room: Room) -> None:
    room.worker.add_transport(3, 3, bytes(256), bytes(64))
    room.worker.set_address(3, "127.0.0.1", 3)
    assert "no_keys" in rises(room, strange(1), ("127.0.0.1", 3))


def test_a_viewer_cannot_speak_for_another(room: Room) -> None:
    """Feedback about a slot is heard from the transport of the slot only, and media of a section from its own."""
    publisher, viewer, camera = meet(room)
    other = room.join(3)
    room.send_rtcp(other, rtcp.write_nack(1, SLOT, [100]))
    room.send_rtcp(other, rtcp.write_pli(1, SLOT))
    room.send(other, *Camera(77, b"10").frame(key=True))
    assert room.counters().get("nack_requested", 0) == 0
    assert room.worker.consumer_stats(SLOT)["key_frames_asked"] == 0
    assert viewer.take_rtp() == []
    assert goes_on(room, publisher, viewer, camera)


def test_a_flood_of_ssrcs_is_bounded(room: Room) -> None:
    """SRTP keeps state for every SSRC that it has opened a packet of."""
    publisher, viewer, camera = meet(room)
    for ssrc in range(1000, 1200):
        room.send(publisher, strange(ssrc))
    assert room.counters()["unrouted"] == STRANGERS_MAX
    assert room.counters()["strangers"] == 200 - STRANGERS_MAX
    assert goes_on(room, publisher, viewer, camera)


def test_a_flood_of_streams_of_one_section_is_bounded(room: Room) -> None:
    publisher, viewer, camera = meet(room)
    for ssrc in range(1000, 1000 + BOUND_MAX + 50):
        room.send(publisher, *Camera(ssrc, b"10").frame())
    assert room.counters()["strangers"] == 51  # one was bound before
    room.worker.remove_transport(PUBLISHER)
    assert room.worker.rows() == (1, 0, 1)
    assert viewer.take_rtp() == []
    assert camera.ssrc == 77


@given(st.lists(st.binary(max_size=1536), max_size=20), st.booleans())
def test_random_datagrams_change_no_row(datagrams: list[bytes], known: bool) -> None:
    room = Room()
    publisher, viewer, camera = meet(room)
    for datagram in datagrams:
        room.feed(datagram, publisher.address if known else STRANGER)
        room.pass_time(10)
    assert goes_on(room, publisher, viewer, camera)
    room.close()


sealed_rtp = st.tuples(
    st.sampled_from([0x80, 0x90, 0xA0, 0xB0, 0x8F, 0x9F]),
    st.sampled_from([96, 97, 98, 45, 96 | 128, 0, 127]),
    st.integers(0, 65535),
    st.sampled_from([77, 78, 79]),
    st.binary(max_size=200),
).map(lambda parts: struct.pack("!BBHII", *parts[:3], 0, parts[3]) + parts[4])
sealed_rtcp = st.lists(
    st.tuples(st.integers(0, 31), st.integers(192, 223), st.sampled_from([77, SLOT]), st.binary(max_size=60)).map(
        lambda parts: struct.pack("!BBHI", 0x80 | parts[0], parts[1], 1 + len(parts[3]) // 4, parts[2]) + parts[3]
    ),
    min_size=1,
    max_size=4,
).map(b"".join)


@given(st.lists(st.tuples(st.sampled_from([PUBLISHER, VIEWER]), st.booleans(), sealed_rtp, sealed_rtcp), max_size=30))
def test_a_peer_with_keys_can_send_anything(packets: list[tuple[int, bool, bytes, bytes]]) -> None:
    room = Room()
    publisher, viewer, _ = meet(room)
    for sender, is_media, media, control in packets:
        peer = publisher if sender == PUBLISHER else viewer
        try:
            sealed = peer.sealer.protect(media) if is_media else peer.sealer.protect_rtcp(control)
        except ValueError:
            continue
        except Exception as error:  # what its own SRTP refuses is never sent
            assert type(error).__name__ == "SrtpError"
            continue
        room.feed(sealed, peer.address)
        room.pass_time(10)
    assert room.worker.rows() == (2, 1, 1)
    other = room.join(3)
    room.publish_video(11, other)
    room.attach(SLOT, 11)
    fresh = Camera(4242, b"11")
    viewer.take_rtp()
    room.send(other, *fresh.frame(key=True))
    assert len(viewer.take_rtp()) == 1
    room.close()
