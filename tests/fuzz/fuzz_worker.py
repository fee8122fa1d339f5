"""Fuzz a whole worker: datagrams as they are, and as contents that peers with keys seal; a class must go on after each.

That no number is given to two packets is seen by the peers, who open what comes.
The input is a list of messages, each of two bytes of choice, one of length, and so many of contents.
"""

from __future__ import annotations

import struct

from media.native import rtcp
from media.native.srtp import SrtpError
from tests.support.native_camera import Camera, vp8_body
from tests.support.native_peer import (
    AV1,
    DESCRIPTOR_ID,
    LEVEL_ID,
    MID_ID,
    NUMBERED_IDS,
    OPUS,
    RID_ID,
    Peer,
    Room,
    rtp_packet,
    rtx_packet,
)

PUBLISHER, VIEWER, STRANGER = 1, 2, ("192.0.2.1", 9)
TRACK, VOICE, SLOT = 10, 12, 20
WAIT_MS_MAX = 120
MORE = 0x10
"""In the argument of RTP: others of the same batch follow."""
ELSEWHERE = 0x20
"""In the argument of RTP and RTCP: sealed, but from an address that is nobody's."""


def message(choice: int, argument: int, content: bytes) -> bytes:
    return bytes([choice, argument, len(content)]) + content


RAW, RTP, RTCP_IN, RTCP_BACK, WAIT, LAYERS, PAUSE, ATTACH = range(8)
_CAMERA = Camera(77, b"10", b"q")
_KEY, _NEXT = _CAMERA.frame(key=True)[0], _CAMERA.frame()[0]
_DESCRIPTOR = rtp_packet(
    vp8_body(1, 1, key=True),
    ssrc=78,
    number=9,
    timestamp=1,
    payload_type=AV1,
    extensions=((MID_ID, b"10"), (RID_ID, b"h"), (DESCRIPTOR_ID, struct.pack("!BH", 0xC0, 77))),
)
_VOICE = rtp_packet(
    b"opus",
    ssrc=90,
    number=5,
    timestamp=960,
    payload_type=OPUS,
    extensions=((MID_ID, b"12"), (LEVEL_ID, b"\x9e")),
)
_TOLD = struct.pack("!BBHIIHHIHBBHBB", 0x8F, 205, 6, 1, SLOT, 0, 3, 7 << 8, 0x2003, 1, 0, 0, 0, 0)
SEEDS = [
    message(RTP, 0, _VOICE) + message(WAIT, 20, b"") + message(RTP, 0, _VOICE) + message(PAUSE, 3, b""),
    message(RTP, 0, _KEY) + message(RTP, 0, _NEXT) + message(RTCP_BACK, 0, rtcp.write_nack(1, SLOT, [100, 101])),
    message(RTP, 0, _KEY) + message(RTP, 0, rtx_packet(_NEXT, ssrc=80, number=1, extensions=((MID_ID, b"10"),))),
    message(RTP, MORE, _KEY) + message(RTP, MORE, _NEXT) + message(RTP, 0, _DESCRIPTOR) + message(PAUSE, 1, b""),
    message(RTP, 0, _DESCRIPTOR) + message(LAYERS, 1, b"") + message(WAIT, 100, b"") + message(RTP, 0, _KEY),
    message(RTCP_IN, 0, rtcp.write_sender_report(77, rtcp.Sender(1 << 40, 5, 6, 7)) + rtcp.write_bye(77)),
    message(RTCP_BACK, 0, rtcp.write_receiver_report(5, [rtcp.Report(SLOT, 1, 2, 3, 4, 5, 6)]))
    + message(RTCP_BACK, 0, rtcp.write_pli(1, SLOT) + rtcp.write_fir(1, SLOT, 3)),
    message(RAW, 0, _KEY) + message(RAW, 1, struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(12)) + message(PAUSE, 1, b""),
    message(RTP, 0, _KEY) + message(RTP, ELSEWHERE, _NEXT) + message(RTCP_BACK, ELSEWHERE, rtcp.write_pli(1, SLOT)),
    message(RTP, 0, _KEY) + message(RTP, 0, _NEXT) + message(RTCP_BACK, 0, _TOLD) + message(WAIT, 90, b""),
    message(RTP, 0, _KEY) + message(RTCP_BACK, 0, rtcp.write_remb(1, 500_000, [SLOT])) + message(WAIT, 90, b""),
    message(RAW, 2, b"\x16\xfe\xfd" + bytes(10)) + message(ATTACH, 1, b"") + message(PAUSE, 1, b""),
]


def target(data: bytes) -> None:
    room = Room()
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER, out_ids=NUMBERED_IDS)
    room.publish_video(TRACK, publisher, (b"q", b"h"))
    room.publish_audio(VOICE, publisher)
    room.subscribe(SLOT, viewer, TRACK, numbered=True)
    room.worker.set_wanted(VIEWER, 4_000_000)
    at = 0
    while at + 3 <= len(data):
        choice, argument, size = data[at : at + 3]
        content = data[at + 3 : at + 3 + size]
        at += 3 + size
        act(room, publisher, viewer, choice % 8, argument, content)
    room.feed(b"", STRANGER)
    room.worker.drain_events()
    assert room.worker.rows() == (2, 2, 1)
    viewer.take_rtp()
    other = room.join(3)
    room.publish_video(11, other)
    room.attach(SLOT, 11)
    room.send(other, *Camera(4242, b"11").frame(key=True))
    assert len(viewer.take_rtp()) == 1, "the class does not go on"
    room.close()


def act(room: Room, publisher: Peer, viewer: Peer, choice: int, argument: int, content: bytes) -> None:
    if choice == RAW:
        room.feed(content, (publisher.address, STRANGER, viewer.address)[argument % 3])
        return
    if choice in {RTP, RTCP_IN, RTCP_BACK}:
        peer = viewer if choice == RTCP_BACK or argument % 4 == 3 else publisher
        try:
            sealed = peer.sealer.protect(content) if choice == RTP else peer.sealer.protect_rtcp(content)
        except SrtpError:  # its own SRTP would not send this
            return
        if argument & MORE:
            room.worker.feed(sealed, peer.address, room.now_us, more=True)
            return
        room.feed(sealed, STRANGER if argument & ELSEWHERE else peer.address)
        return
    room.feed(b"", STRANGER)  # ends a batch: rows change between batches only
    if choice == WAIT:
        room.pass_time(argument % WAIT_MS_MAX)
        heard = room.worker.take_audio_levels(argument & 0x7F)
        assert all((transport, producer) == (PUBLISHER, VOICE) and levels for transport, producer, levels in heard)
        estimates = room.worker.take_estimates()
        assert all(told[0] == VIEWER and 30_000 <= told[1] <= 50_000_000 and 0 <= told[2] <= 1 for told in estimates)
    elif choice == LAYERS:
        room.worker.set_layers(SLOT, argument % 3 - 1, argument >> 4)
    elif choice == PAUSE:
        room.worker.set_paused(VOICE if argument & 2 else TRACK, bool(argument & 1))
    elif choice == ATTACH:
        room.attach(SLOT, TRACK, encoding=argument & 1, temporal=argument >> 4)
