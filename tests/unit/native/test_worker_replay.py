"""Who comes late sees the last key frame at once and is caught up; the publisher does not notice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.native import rtcp
from tests.support.native_camera import Camera
from tests.support.native_peer import Peer, Received, Room

PUBLISHER, EARLY, LATE = 1, 2, 3
TRACK, OTHER_TRACK = 10, 11
SLOT, LATE_SLOT = 20, 30
FRAMES_PER_SECOND = 30


def lesson(room: Room, rids: tuple[bytes, ...] = (b"",)) -> tuple[Peer, Peer]:
    """Let a publisher and one viewer come; the late one has joined, but watches nothing yet."""
    publisher, early = room.join(PUBLISHER), room.join(EARLY)
    room.publish_video(TRACK, publisher, rids)
    room.subscribe(SLOT, early, TRACK)
    return publisher, room.join(LATE)


def play(room: Room, publisher: Peer, *cameras: Camera, frames: int, packets: int = 2) -> None:
    """Let time go by with a frame of each camera every 30 ms."""
    for _ in range(frames):
        for camera in cameras:
            room.send_together(publisher, *camera.frame(packets=packets))
        room.pass_time(30)


def numbers(received: list[Received]) -> list[int]:
    return [packet.number for packet in received]


def asked(publisher: Peer) -> list[int]:
    """Return the SSRCs of which a key frame was asked."""
    return [
        rtcp.read_media_ssrc(packet)
        for packet in publisher.take_rtcp()
        if (packet.packet_type, packet.count_or_format) == (rtcp.RTCP_PSFB, rtcp.RTCP_FMT_PLI)
    ]


def test_the_last_key_frame_and_all_that_followed_without_asking_the_publisher(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True, packets=3))
    play(room, publisher, camera, frames=30)
    asked(publisher)
    room.subscribe(LATE_SLOT, late, TRACK, first=100)
    room.collect()
    assert late.take_rtp()[0].picture.key_frame, "the first packet goes out at once"
    play(room, publisher, camera, frames=60)
    received = late.take_rtp()
    assert numbers(received) == list(range(101, 101 + 2 + 90 * 2))
    assert asked(publisher) == []
    assert room.counters()["replayed"] < 3 + 60 * 2, "it caught up with the live picture"


def test_what_is_made_up_is_stamped_as_it_is_sent(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, frames=60)
    room.subscribe(LATE_SLOT, late, TRACK)
    play(room, publisher, camera, frames=60)
    stamps = [packet.header.timestamp for packet in late.take_rtp()]
    assert len(stamps) > 200, "it caught up"
    shown_s = (stamps[-1] - stamps[0]) / 90_000
    assert 1.9 < shown_s < 2.1, "sixty frames of a thirtieth, though twice as many were shown"


def test_catching_up_keeps_a_pace(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, frames=80, packets=8)
    room.subscribe(LATE_SLOT, late, TRACK)
    counts = []
    for _ in range(10):
        play(room, publisher, camera, frames=1, packets=8)
        counts.append(len(late.take_rtp()))
    assert 16 <= max(counts) <= 40, "some times the eight packets of a frame, not all six hundred at once"


def test_the_lowest_encoding_first_then_the_wanted_one_at_its_key_frame(room: Room) -> None:
    publisher, late = lesson(room, (b"q", b"h", b"f"))
    cameras = [Camera(70 + index, b"10", rid) for index, rid in enumerate((b"q", b"h", b"f"))]
    for camera in cameras:
        room.send(publisher, *camera.frame(key=True))
    play(room, publisher, *cameras, frames=10)
    asked(publisher)
    room.subscribe(LATE_SLOT, late, TRACK, encoding=2)
    room.collect()
    stats = room.worker.consumer_stats(LATE_SLOT)
    assert (stats["encoding"], stats["target"]) == (0, 2)
    assert asked(publisher) == [72], "a key frame of the wanted one alone"
    play(room, publisher, *cameras, frames=20)
    room.send(publisher, *cameras[2].frame(key=True))
    assert room.worker.consumer_stats(LATE_SLOT)["encoding"] == 2
    received = late.take_rtp()
    assert numbers(received) == list(range(100, 100 + len(received)))
    play(room, publisher, *cameras, frames=5)
    assert len(late.take_rtp()) == 10


def test_a_switch_to_the_wanted_encoding_ends_the_past(room: Room) -> None:
    publisher, late = lesson(room, (b"q", b"f"))
    low, high = Camera(70, b"10", b"q"), Camera(71, b"10", b"f")
    room.send(publisher, *low.frame(key=True), *high.frame(key=True))
    play(room, publisher, low, high, frames=60, packets=6)
    room.subscribe(LATE_SLOT, late, TRACK, encoding=1)
    room.send(publisher, *high.frame(key=True))  # at once, in the middle of the past of the lower one
    room.pass_time(500)
    play(room, publisher, low, high, frames=5)
    received = late.take_rtp()
    assert numbers(received) == list(range(100, 100 + len(received)))
    assert len(received) < 30
    assert [packet.picture.key_frame for packet in received].count(True) == 2


def test_pictures_of_long_ago_are_not_shown(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, frames=110)
    asked(publisher)
    room.subscribe(LATE_SLOT, late, TRACK)
    play(room, publisher, camera, frames=5)
    assert late.take_rtp() == []
    assert asked(publisher) == [77]


def test_nothing_from_before_a_mute_is_shown_after_it(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    room.worker.set_paused(TRACK, True)
    room.worker.set_paused(TRACK, False)
    room.subscribe(LATE_SLOT, late, TRACK)
    play(room, publisher, camera, frames=5)
    assert late.take_rtp() == []


@pytest.mark.parametrize("change", ["detach", "remove", "mute", "unreachable", "publisher gone"])
def test_the_past_ends_where_it_is_not_wanted_any_more(room: Room, change: str) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, frames=60, packets=8)
    room.subscribe(LATE_SLOT, late, TRACK)
    room.pass_time(20)
    late.take_rtp()
    match change:
        case "detach":
            room.worker.detach(LATE_SLOT)
        case "remove":
            room.worker.remove_consumer(LATE_SLOT)
        case "mute":
            room.worker.set_paused(TRACK, True)
        case "unreachable":
            room.worker.clear_address(LATE)
        case _:
            room.worker.remove_producer(TRACK)
    room.pass_time(500)
    assert late.take_rtp() == []


def test_a_key_frame_whose_first_packet_comes_late_starts_those_who_wait(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame())
    room.subscribe(LATE_SLOT, late, TRACK)
    first, second, third = camera.frame(key=True, packets=3)
    room.send(publisher, second, third, first)
    room.pass_time(200)
    received = late.take_rtp()
    assert numbers(received) == [100, 101, 102]
    assert received[0].picture.key_frame


def test_a_storm_of_joins_costs_the_publisher_one_key_frame(room: Room) -> None:
    publisher, _ = lesson(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    asked(publisher)
    viewers = []
    for index in range(60):
        viewers.append(room.join(1000 + index))
        room.subscribe(5000 + index, viewers[-1], TRACK)
        play(room, publisher, camera, frames=1)
    play(room, publisher, camera, frames=40)
    for viewer in viewers:
        received = viewer.take_rtp()
        assert received[0].picture.key_frame
        assert numbers(received) == list(range(100, 100 + len(received)))
    assert asked(publisher) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["frame", "late", "lost", "key", "time", "again"]), max_size=60), st.integers(0, 40))
def test_whatever_the_uplink_does_no_number_is_given_twice(steps: list[str], joins_at: int) -> None:
    """The peer refuses a second packet under a number; what it misses was missing before."""
    room = Room()
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    held: list[bytes] = []
    room.send(publisher, *camera.frame(key=True))
    for index, step in enumerate([*steps, "key", "frame", "time"]):
        if index == joins_at:
            room.subscribe(LATE_SLOT, late, TRACK)
        match step:
            case "frame" | "key":
                room.send(publisher, *camera.frame(key=step == "key", packets=3))
            case "late":
                held += camera.frame(packets=1)
            case "lost":
                camera.frame()
            case "again":
                room.send(publisher, *held)
                held = []
            case _:
                room.pass_time(50)
    room.pass_time(1000)
    room.collect()
    received = numbers(late.take_rtp())
    assert len(set(received)) == len(received)
    room.close()


def test_numbers_are_counted(room: Room) -> None:
    """Two late ones, both caught up: each has its own numbers."""
    publisher, late = lesson(room)
    other = room.join(9)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, frames=20)
    room.subscribe(LATE_SLOT, late, TRACK, first=7)
    room.subscribe(99, other, TRACK, first=900)
    play(room, publisher, camera, frames=30)
    for viewer, first in ((late, 7), (other, 900)):
        received = numbers(viewer.take_rtp())
        assert received == list(range(first, first + 1 + 50 * 2))


def test_who_was_cut_off_starts_anew_at_the_last_key_frame(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.subscribe(LATE_SLOT, late, TRACK)
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, frames=10)
    late.take_rtp()
    room.worker.renew_pictures(LATE)
    play(room, publisher, camera, frames=20)
    received = late.take_rtp()
    assert received[0].picture.key_frame
    assert numbers(received) == list(range(121, 121 + 1 + 30 * 2))


def test_who_was_cut_off_gets_a_new_key_frame_where_none_is_fresh(room: Room) -> None:
    publisher, late = lesson(room)
    camera = Camera(77, b"10")
    room.subscribe(LATE_SLOT, late, TRACK)
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, camera, frames=120)
    asked(publisher)
    room.worker.renew_pictures(LATE)
    assert asked(publisher) == []
    room.collect()
    assert asked(publisher) == [77]
