"""The worker driven by hand: pictures wait for repeats, of which two go out to who loses one in ten."""

from __future__ import annotations

import pytest

from media.native import rtcp, rtp
from media.native.twcc import ArrivalRecorder
from tests.support.native_camera import Camera
from tests.support.native_peer import NUMBER_ID, NUMBERED_IDS, VIEWER_RTX, Peer, Received, Room, rtx_packet

PUBLISHER, LOSSY, CALM, OTHER = 1, 2, 3, 4
TRACK, LOSSY_SLOT, CALM_SLOT, OTHER_TRACK = 10, 20, 30, 40
DELAY_ID = 9
DELAY_KIND = 10
IDS = NUMBERED_IDS[:DELAY_KIND] + bytes([DELAY_ID]) + NUMBERED_IDS[DELAY_KIND + 1 :]


class Viewer:
    """Reports which packets came, some of which he says did not."""

    def __init__(self, room: Room, transport: int, slot: int) -> None:
        self.room = room
        self.slot = slot
        self.peer = room.join(transport, out_ids=IDS)
        self.recorder = ArrivalRecorder()
        self.came = 0
        room.subscribe(slot, self.peer, TRACK, numbered=True)

    def report(self, lost_each: int = 0) -> list[Received]:
        """Report and return what was sent to him; each `lost_each`-th of it did not come."""
        packets = self.peer.take_rtp()
        for packet in packets:
            self.came += 1
            number = int.from_bytes(dict(packet.header.extensions)[NUMBER_ID])
            if not lost_each or self.came % lost_each:
                self.recorder.received(number, self.room.now_us + 20_000)
        self.room.send_rtcp(self.peer, self.recorder.build(1, self.slot))
        return packets


def delay_ms(packet: Received) -> int | None:
    value = dict(packet.header.extensions).get(DELAY_ID)
    return (int.from_bytes(value) >> 12) * 10 if value is not None else None


def play(room: Room, publisher: Peer, camera: Camera, lossy: Viewer, calm: Viewer, *, lost_each: int) -> None:
    """Let nine seconds go by."""
    for _ in range(90):
        for _ in range(4):
            room.send_together(publisher, *camera.frame(packets=2))
            room.pass_time(20)
        room.pass_time(20)
        lossy.report(lost_each)
        calm.report()


@pytest.mark.parametrize(("lost_each", "expected_ms", "copies"), [(0, None, 1), (50, 300, 1), (8, 400, 2)])
def test_pictures_of_who_loses_packets_wait(room: Room, lost_each: int, expected_ms: int | None, copies: int) -> None:
    """The round trip is taken for 200 ms as long as no report tells it."""
    publisher, camera = room.join(PUBLISHER), Camera(77, b"%d" % TRACK)
    room.publish_video(TRACK, publisher)
    lossy, calm = Viewer(room, LOSSY, LOSSY_SLOT), Viewer(room, CALM, CALM_SLOT)
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, lossy, calm, lost_each=lost_each)
    room.send_together(publisher, *camera.frame(packets=3))
    last = lossy.peer.take_rtp()
    assert [delay_ms(packet) for packet in last] == [expected_ms] * 3
    assert [delay_ms(packet) for packet in calm.peer.take_rtp()] == [None] * 3
    room.send_rtcp(lossy.peer, rtcp.write_nack(1, LOSSY_SLOT, [last[1].number]))
    room.collect()
    again = lossy.peer.take_rtp()
    assert [packet.header.payload_type for packet in again] == [VIEWER_RTX] * copies
    assert {packet.original_number for packet in again} == {last[1].number}
    assert len({packet.number for packet in again}) == copies
    assert {delay_ms(packet) for packet in again} == {expected_ms}


def teach(room: Room, publisher: Peer, camera: Camera, *, late_ms: int) -> None:
    """Let four seconds go by, in each of which one packet comes late, by RTX."""
    for number in range(4):
        kept = list(camera.frame(packets=3))
        lost = kept.pop(1)
        room.send(publisher, *kept)
        room.pass_time(late_ms)
        extensions = tuple(rtp.parse_header(lost).extensions)
        room.send(publisher, rtx_packet(lost, ssrc=78, number=number, extensions=extensions))
        for _ in range(20):
            room.send(publisher, *camera.frame())
            room.pass_time(40)


def test_pictures_of_a_teacher_who_loses_packets_wait_for_all(room: Room) -> None:
    """And a slot that carries somebody else next is told that nothing waits any more."""
    publisher, camera = room.join(PUBLISHER), Camera(77, b"%d" % TRACK)
    room.publish_video(TRACK, publisher)
    other, other_camera = room.join(OTHER), Camera(87, b"%d" % OTHER_TRACK)
    room.publish_video(OTHER_TRACK, other)
    viewers = [Viewer(room, LOSSY, LOSSY_SLOT), Viewer(room, CALM, CALM_SLOT)]
    room.send(publisher, *camera.frame(key=True))
    teach(room, publisher, camera, late_ms=120)
    room.send(publisher, *camera.frame())
    for viewer in viewers:
        told = delay_ms(viewer.peer.take_rtp()[-1])
        assert told is not None
        assert 160 <= told <= 180, "as late as repairs are, and a frame"
    room.attach(CALM_SLOT, OTHER_TRACK)
    room.send(other, *other_camera.frame(key=True))
    (packet,) = viewers[1].peer.take_rtp()
    assert delay_ms(packet) == 0
