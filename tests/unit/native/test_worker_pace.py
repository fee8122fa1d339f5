"""An encoding that its publisher's uplink starves: its viewers are shown a lower one until it keeps pace again."""

from __future__ import annotations

from media.native import rtcp
from tests.support.native_camera import Camera
from tests.support.native_peer import MID_ID, REPAIRED_RID_ID, Room, rtx_packet

PUBLISHER, VIEWER, OTHER = 1, 2, 3
TRACK, SLOT, OTHER_SLOT = 10, 20, 30
LOW, HIGH = 0, 1
ALL_LAYERS = 255
FRAME_MS = 50
NOTICED_FRAMES = 9
"""What a viewer misses at most: five frames, a look every 100 ms, and the key frame that is asked for."""
PROOF_FRAMES = 60


class Call:
    """A publisher with two encodings, 20 frames a second, who answers requests for key frames with the next frame."""

    def __init__(self, room: Room, *, wanted: int = HIGH) -> None:
        self.room = room
        self.publisher, self.viewer = room.join(PUBLISHER), room.join(VIEWER)
        room.publish_video(TRACK, self.publisher, (b"q", b"h"))
        room.subscribe(SLOT, self.viewer, TRACK, encoding=wanted)
        self.low, self.high = Camera(77, b"10", b"q"), Camera(78, b"10", b"h")
        self._owed = {self.low.ssrc, self.high.ssrc}

    def play(self, frames: int, *, low_every: int = 1, high_every: int = 1, packets: int = 1) -> None:
        """Let the time of so many frames pass; each encoding sends one frame in so many, none for 0."""
        for index in range(frames):
            for camera, every in ((self.low, low_every), (self.high, high_every)):
                if every and index % every == 0:
                    self.send(camera, packets=packets)
            self.room.pass_time(FRAME_MS)

    def send(self, camera: Camera, *, packets: int = 1) -> tuple[bytes, ...]:
        """Send a frame; return its packets."""
        for packet in self.publisher.take_rtcp():
            if (packet.packet_type, packet.count_or_format) == (rtcp.RTCP_PSFB, rtcp.RTCP_FMT_PLI):
                self._owed.add(rtcp.read_media_ssrc(packet))
        frame = camera.frame(key=camera.ssrc in self._owed, packets=packets)
        self._owed.discard(camera.ssrc)
        self.room.send(self.publisher, *frame)
        return frame

    @property
    def shown(self) -> int:
        return int(self.room.worker.consumer_stats(SLOT)["encoding"])


def test_who_is_starved_is_left_and_has_to_keep_pace_for_some_time(room: Room) -> None:
    call = Call(room)
    call.play(10)
    assert call.shown == HIGH
    call.play(20, high_every=5)  # four frames a second
    assert call.shown == LOW
    call.viewer.take_rtp()
    call.play(20, high_every=5)
    assert len(call.viewer.take_rtp()) == 20, "every frame of the lower one"
    call.play(PROOF_FRAMES // 2)
    assert call.shown == LOW
    call.play(PROOF_FRAMES)
    assert call.shown == HIGH


def test_who_stops_is_left_within_half_a_second(room: Room) -> None:
    call = Call(room)
    call.play(10)
    call.play(NOTICED_FRAMES, high_every=0)
    assert call.shown == LOW


def test_two_frames_of_three_are_pace_enough(room: Room) -> None:
    call = Call(room)
    call.play(10)
    for _ in range(20):
        call.play(2)
        call.play(1, high_every=0)
        assert call.shown == HIGH


def test_the_lowest_may_be_slow(room: Room) -> None:
    """A screen's lower encoding has 5 frames a second where the other has 30."""
    call = Call(room, wanted=LOW)
    call.play(60, low_every=6)
    assert call.shown == LOW


def test_a_large_frame_under_way_is_no_silence(room: Room) -> None:
    """A browser spreads a key frame over a narrow uplink, and sends frames of the lower encoding in between."""
    call = Call(room)
    call.play(10)
    large = call.high.frame(packets=12)
    for packet in large:
        room.send(call.publisher, packet)
        call.play(1, high_every=0)
    assert call.shown == HIGH


def test_repeats_for_a_probe_are_no_frames(room: Room) -> None:
    """Browsers probe with packets that came long ago: they count for no encoding."""
    call = Call(room)
    sent = [call.send(call.low)[0] for _ in range(10)]
    call.play(10)
    for number in range(40):
        original = sent[number % len(sent)]
        extensions = ((MID_ID, b"10"), (REPAIRED_RID_ID, b"q"))
        room.send(call.publisher, rtx_packet(original, ssrc=79, number=number, extensions=extensions))
        if number % 4 == 0:
            call.play(1)
    assert call.shown == HIGH


def test_what_somebody_wants_again_counts_from_its_first_packet(room: Room) -> None:
    call = Call(room)
    call.play(10)
    room.worker.set_layers(SLOT, LOW, ALL_LAYERS)
    call.play(100, high_every=0)  # the publisher is told that nobody wants the other
    assert call.shown == LOW
    room.worker.set_layers(SLOT, HIGH, ALL_LAYERS)
    call.play(5, high_every=0)  # and has to be asked
    call.play(3)
    assert call.shown == HIGH


def test_a_newcomer_does_not_make_others_believe_who_starves(room: Room) -> None:
    call = Call(room)
    call.play(10)
    call.play(20, high_every=5)
    assert call.shown == LOW
    room.subscribe(OTHER_SLOT, room.join(OTHER), TRACK, encoding=HIGH)
    room.worker.set_layers(OTHER_SLOT, LOW, ALL_LAYERS)
    room.worker.set_layers(OTHER_SLOT, HIGH, ALL_LAYERS)
    call.play(20, high_every=5)
    assert call.shown == LOW


def test_who_is_alone_is_shown(room: Room) -> None:
    """Nothing is lower than it: it need not prove anything."""
    call = Call(room)
    call.play(10)
    call.play(20, high_every=5)
    assert call.shown == LOW
    call.play(30, low_every=0)
    assert call.shown == HIGH
