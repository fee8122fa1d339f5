"""Upgrades of many are asked for together and seldom; who has no picture, or a broken one, waits for nobody."""

from __future__ import annotations

from media.native import rtcp
from tests.support.native_camera import Camera
from tests.support.native_peer import Peer, Room
from tests.support.worker_pair import MIRROR, Pair
from tests.support.worker_pair import TRACK as PAIR_TRACK

PUBLISHER, TRACK = 1, 10
RIDS = (b"q", b"h", b"f")
LOW, MIDDLE, HIGH = 70, 71, 72
FIRST_SLOT = 5000
FRAME_MS = 30


def cameras() -> list[Camera]:
    return [Camera(LOW + index, b"10", rid) for index, rid in enumerate(RIDS)]


def asked(publisher: Peer) -> list[int]:
    """Return the SSRCs of which a key frame was asked."""
    return [
        rtcp.read_media_ssrc(packet)
        for packet in publisher.take_rtcp()
        if (packet.packet_type, packet.count_or_format) == (rtcp.RTCP_PSFB, rtcp.RTCP_FMT_PLI)
    ]


def lesson(room: Room) -> tuple[Peer, list[Camera]]:
    """Let a publisher come whose three encodings have begun."""
    publisher, encodings = room.join(PUBLISHER), cameras()
    room.publish_video(TRACK, publisher, RIDS)
    for camera in encodings:
        room.send(publisher, *camera.frame(key=True))
    return publisher, encodings


def play(room: Room, publisher: Peer, encodings: list[Camera], frames: int) -> list[list[int]]:
    """Let time go by; the publisher answers at once. Return what it was asked for at a time, each with others."""
    requests = []
    for _ in range(frames):
        wanted = asked(publisher)
        requests += [wanted] if wanted else []
        for camera in encodings:
            room.send_together(publisher, *camera.frame(key=camera.ssrc in wanted))
        room.pass_time(FRAME_MS)
    return requests


def crowd(room: Room, first: int) -> None:
    """Let more come who see the lowest encoding: the larger a class, the longer an upgrade waits."""
    for slot in range(first, first + 10):
        room.subscribe(slot, room.join(slot), TRACK, encoding=0)


def test_a_storm_of_joins_costs_a_request_in_two_seconds(room: Room) -> None:
    publisher, encodings = lesson(room)
    play(room, publisher, encodings, frames=10)
    viewers, requests = [], []
    for index in range(100):
        viewers.append(room.join(1000 + index))
        room.subscribe(FIRST_SLOT + index, viewers[-1], TRACK, encoding=2)
        requests += play(room, publisher, encodings, frames=3)
    assert 3 <= len(requests) <= 5, "in nine seconds"
    assert [HIGH] in requests[:1], "the first who came waited for nobody"
    assert all(HIGH in each and MIDDLE not in each for each in requests)
    assert all(LOW in each for each in requests[1:]), "who joins next starts there"
    requests = play(room, publisher, encodings, frames=90)
    assert len(requests) <= 1
    for index, viewer in enumerate(viewers):
        assert viewer.take_rtp()[0].picture.key_frame
        assert room.worker.consumer_stats(FIRST_SLOT + index)["encoding"] == 2


def test_upgrades_to_two_encodings_are_one_request(room: Room) -> None:
    publisher, encodings = lesson(room)
    for slot, encoding in ((FIRST_SLOT, 0), (FIRST_SLOT + 1, 0), (FIRST_SLOT + 2, 0)):
        room.subscribe(slot, room.join(slot), TRACK, encoding=encoding)
    crowd(room, FIRST_SLOT + 3)
    play(room, publisher, encodings, frames=10)
    room.worker.set_layers(FIRST_SLOT, 2, 255)
    assert play(room, publisher, encodings, frames=10) == [[HIGH]]
    room.worker.set_layers(FIRST_SLOT + 1, 1, 255)
    room.worker.set_layers(FIRST_SLOT + 2, 2, 255)
    assert play(room, publisher, encodings, frames=100) == [[LOW, MIDDLE, HIGH]]


def test_a_broken_picture_does_not_wait_and_takes_upgrades_along(room: Room) -> None:
    publisher, encodings = lesson(room)
    for slot in (FIRST_SLOT, FIRST_SLOT + 1, FIRST_SLOT + 2):
        room.subscribe(slot, room.join(slot), TRACK)
    viewer = room.knock(4000)
    room.connect(viewer)
    room.subscribe(FIRST_SLOT + 3, viewer, TRACK)
    crowd(room, FIRST_SLOT + 4)
    play(room, publisher, encodings, frames=80)
    room.worker.set_layers(FIRST_SLOT, 2, 255)
    assert play(room, publisher, encodings, frames=40) == [[LOW, HIGH]]
    room.worker.set_layers(FIRST_SLOT + 1, 2, 255)
    assert play(room, publisher, encodings, frames=10) == [], "it sees a lower one"
    room.send_rtcp(viewer, rtcp.write_pli(1, FIRST_SLOT + 3))
    assert play(room, publisher, encodings, frames=2) == [[LOW, HIGH]]


def test_who_falls_does_not_wait(room: Room) -> None:
    publisher, encodings = lesson(room)
    for slot, encoding in ((FIRST_SLOT, 0), (FIRST_SLOT + 1, 2)):
        room.subscribe(slot, room.join(slot), TRACK, encoding=encoding)
    play(room, publisher, encodings, frames=10)
    room.worker.set_layers(FIRST_SLOT, 1, 255)
    play(room, publisher, encodings, frames=5)
    room.worker.set_layers(FIRST_SLOT + 1, 0, 255)
    assert play(room, publisher, encodings, frames=2) == [[LOW]]


def test_who_watches_alone_is_not_made_to_wait(room: Room) -> None:
    publisher, encodings = lesson(room)
    room.subscribe(FIRST_SLOT, room.join(FIRST_SLOT), TRACK, encoding=0)
    play(room, publisher, encodings, frames=10)
    room.worker.set_layers(FIRST_SLOT, 1, 255)
    assert play(room, publisher, encodings, frames=10) == [[MIDDLE]]
    room.worker.set_layers(FIRST_SLOT, 2, 255)
    assert play(room, publisher, encodings, frames=10) == [[HIGH]]


def test_what_a_gate_holds_back_goes_with_the_next_request(room: Room) -> None:
    publisher, encodings = lesson(room)
    viewer = room.knock(4000)
    room.connect(viewer)
    room.subscribe(FIRST_SLOT, viewer, TRACK, encoding=1)
    room.subscribe(FIRST_SLOT + 1, room.join(FIRST_SLOT + 1), TRACK, encoding=0)
    crowd(room, FIRST_SLOT + 2)
    play(room, publisher, encodings, frames=200)
    room.send_rtcp(viewer, rtcp.write_pli(1, FIRST_SLOT))
    assert play(room, publisher, encodings, frames=10) == [[MIDDLE]]
    room.worker.set_layers(FIRST_SLOT + 1, 1, 255)
    assert play(room, publisher, encodings, frames=60) == [], "it had a key frame not long ago"
    assert play(room, publisher, encodings, frames=30) == [[LOW, MIDDLE]]
    assert play(room, publisher, encodings, frames=90) == []


def test_who_has_no_picture_yet_waits_for_the_lower_one_that_is_on_its_way(room: Room) -> None:
    publisher, encodings = lesson(room)
    crowd(room, FIRST_SLOT + 2)
    play(room, publisher, encodings, frames=200)
    room.subscribe(FIRST_SLOT, room.join(FIRST_SLOT), TRACK, encoding=0)
    room.pass_time(100)
    assert asked(publisher) == [LOW]
    room.worker.set_layers(FIRST_SLOT, 2, 255)
    room.pass_time(300)
    assert asked(publisher) == [], "the lowest is awaited already"
    for camera in encodings:
        room.send_together(publisher, *camera.frame(key=camera.ssrc == LOW))
    room.pass_time(200)
    assert room.worker.consumer_stats(FIRST_SLOT)["encoding"] == 0
    assert play(room, publisher, encodings, frames=100) == [[LOW, HIGH]]
    assert room.worker.consumer_stats(FIRST_SLOT)["encoding"] == 2


def test_upgrades_elsewhere_wait_at_home(pair: Pair) -> None:
    pair.publish_video(RIDS)
    encodings = cameras()
    for camera in encodings:
        pair.send(*camera.frame(key=True))
    pair.home.subscribe(FIRST_SLOT, pair.near, PAIR_TRACK)
    pair.away.subscribe(FIRST_SLOT + 1, pair.far, MIRROR)
    pair.play(*encodings, frames=10)
    pair.asked()
    pair.home.worker.set_layers(FIRST_SLOT, 2, 255)
    pair.play(*encodings, frames=2)
    assert pair.asked() == [HIGH]
    pair.send(*encodings[2].frame(key=True))
    pair.away.worker.set_layers(FIRST_SLOT + 1, 1, 255)
    pair.play(*encodings, frames=50)
    assert pair.asked() == [], "the publisher was asked not long ago"
    pair.play(*encodings, frames=50)
    assert pair.asked()[:2] == [LOW, MIDDLE]


def test_what_those_who_come_elsewhere_wait_for_are_two_requests(pair: Pair) -> None:
    pair.publish_video(RIDS)
    encodings = cameras()
    for camera in encodings:
        pair.send(*camera.frame(key=True))
    pair.play(*encodings, frames=120)
    pair.asked()
    for encoding in range(len(RIDS)):
        pair.away.subscribe(FIRST_SLOT + encoding, pair.away.join(FIRST_SLOT + encoding), MIRROR, encoding=encoding)
    requests = []
    for _ in range(100):
        wanted = pair.asked()
        requests += [wanted] if wanted else []
        for camera in encodings:
            pair.send(*camera.frame(key=camera.ssrc in wanted))
        pair.pass_time(30)
    assert requests == [[LOW], [LOW, MIDDLE, HIGH]]
    for encoding in range(len(RIDS)):
        assert pair.away.worker.consumer_stats(FIRST_SLOT + encoding)["encoding"] == encoding


def ask_again_and_again(room: Room, publisher: Peer, camera: Camera, viewer: Peer, seconds: int) -> int:
    """Let a viewer ask with every picture, which no receiver does; return how often the publisher was asked."""
    requests = 0
    for _ in range(10 * seconds):
        room.send_rtcp(viewer, rtcp.write_pli(1, FIRST_SLOT), rtcp.write_fir(1, FIRST_SLOT, 1))
        wanted = asked(publisher)
        requests += len(wanted)
        room.send(publisher, *camera.frame(key=bool(wanted)))
        room.pass_time(100)
    return requests


def test_who_asks_without_end_is_heard_three_times_and_then_every_ten_seconds(room: Room) -> None:
    publisher, camera = room.join(PUBLISHER), Camera(LOW, b"10")
    room.publish_video(TRACK, publisher)
    room.send(publisher, *camera.frame(key=True))
    viewer, other = room.join(2), room.join(3)
    room.subscribe(FIRST_SLOT, viewer, TRACK)
    room.subscribe(FIRST_SLOT + 1, other, TRACK)
    crowd(room, FIRST_SLOT + 2)
    play(room, publisher, [camera], frames=100)
    assert "key_frames_flooded" not in room.counters()
    assert ask_again_and_again(room, publisher, camera, viewer, seconds=9) == 3
    assert ask_again_and_again(room, publisher, camera, viewer, seconds=40) == 4
    assert room.counters()["key_frames_flooded"] > 800
    room.pass_time(3000)
    room.send_rtcp(other, rtcp.write_pli(1, FIRST_SLOT + 1))
    assert asked(publisher) == [LOW], "another is heard at once"
    room.send(publisher, *camera.frame(key=True))
    play(room, publisher, [camera], frames=1000)
    room.send_rtcp(viewer, rtcp.write_pli(1, FIRST_SLOT))
    assert asked(publisher) == [LOW], "and so is he, having been quiet"


def test_who_lost_several_key_frames_is_heard_each_time_and_what_is_asked_for_anyway_costs_nothing(room: Room) -> None:
    publisher, camera = room.join(PUBLISHER), Camera(LOW, b"10")
    room.publish_video(TRACK, publisher)
    room.send(publisher, *camera.frame(key=True))
    viewers = [room.join(2), room.join(3)]
    for index, viewer in enumerate(viewers):
        room.subscribe(FIRST_SLOT + index, viewer, TRACK)
    crowd(room, FIRST_SLOT + len(viewers))
    play(room, publisher, [camera], frames=100)
    for turn in range(6):
        for index in ((0, 1), (1, 0))[turn % 2]:  # each is the first in three of six
            room.send_rtcp(viewers[index], rtcp.write_pli(1, FIRST_SLOT + index))
        assert asked(publisher) == [LOW]
        room.send(publisher, *camera.frame(key=True))
        play(room, publisher, [camera], frames=80)
    assert "key_frames_flooded" not in room.counters()


def test_the_fewer_watch_the_more_often_one_of_them_is_heard(room: Room) -> None:
    publisher, camera = room.join(PUBLISHER), Camera(LOW, b"10")
    room.publish_video(TRACK, publisher)
    room.send(publisher, *camera.frame(key=True))
    viewer = room.join(2)
    room.subscribe(FIRST_SLOT, viewer, TRACK)
    play(room, publisher, [camera], frames=100)
    alone = ask_again_and_again(room, publisher, camera, viewer, seconds=12)
    assert alone >= 4, "the gate alone holds it back"
    assert "key_frames_flooded" not in room.counters()
    for slot in range(FIRST_SLOT + 1, FIRST_SLOT + 7):
        room.subscribe(slot, room.join(slot), TRACK)
    play(room, publisher, [camera], frames=800)
    assert ask_again_and_again(room, publisher, camera, viewer, seconds=21) == 3 + 3, "one in six seconds"


def test_a_path_that_widens_and_narrows_costs_the_others_little(room: Room) -> None:
    publisher, encodings = lesson(room)
    room.subscribe(FIRST_SLOT, room.join(FIRST_SLOT), TRACK, encoding=0)
    crowd(room, FIRST_SLOT + 1)
    play(room, publisher, encodings, frames=10)

    def swing(turns: int) -> list[list[int]]:
        requests = []
        for _ in range(turns):
            room.worker.set_layers(FIRST_SLOT, 2, 255)
            requests += play(room, publisher, encodings, frames=66)
            room.worker.set_layers(FIRST_SLOT, 0, 255)
            requests += play(room, publisher, encodings, frames=66)
        return [each for each in requests if HIGH in each]

    assert 2 <= len(swing(5)) <= 4, "two, and then one in ten seconds"
    assert len(swing(5)) <= 2
    room.subscribe(FIRST_SLOT + 20, room.join(FIRST_SLOT + 20), TRACK, encoding=0)
    play(room, publisher, encodings, frames=120)
    room.worker.set_layers(FIRST_SLOT, 2, 255)
    room.worker.set_layers(FIRST_SLOT + 20, 2, 255)
    assert any(HIGH in each for each in play(room, publisher, encodings, frames=5)), "another is not held back"
    play(room, publisher, encodings, frames=5)
    assert room.worker.consumer_stats(FIRST_SLOT)["encoding"] == 2, "and takes him along"


def test_who_sees_nothing_gets_the_lowest_however_often_he_came_back(room: Room) -> None:
    publisher, encodings = lesson(room)
    viewer = room.join(FIRST_SLOT)
    room.subscribe(FIRST_SLOT, viewer, TRACK, encoding=2)
    crowd(room, FIRST_SLOT + 1)
    play(room, publisher, encodings, frames=10)
    high = 0
    for _ in range(8):
        play(room, publisher, encodings, frames=110)  # what is kept is too old to start at
        room.worker.renew_pictures(FIRST_SLOT)
        high += any(HIGH in each for each in play(room, publisher, encodings, frames=20))
        frames = len(viewer.take_rtp())
        play(room, publisher, encodings, frames=10)
        assert len(viewer.take_rtp()) >= 10, f"a picture flows after {frames} packets"
    assert 3 <= high <= 6


def test_another_publisher_knows_nothing_of_what_a_slot_has_cost(room: Room) -> None:
    first, second, camera, other = room.join(PUBLISHER), room.join(2), Camera(LOW, b"10"), Camera(HIGH, b"11")
    room.publish_video(TRACK, first)
    room.send(first, *camera.frame(key=True))
    viewer = room.join(FIRST_SLOT)
    room.subscribe(FIRST_SLOT, viewer, TRACK)
    crowd(room, FIRST_SLOT + 1)
    play(room, first, [camera], frames=100)
    assert ask_again_and_again(room, first, camera, viewer, seconds=9) == 3
    room.publish_video(TRACK + 1, second)
    room.send(second, *other.frame(key=True))
    for slot in range(FIRST_SLOT + 20, FIRST_SLOT + 31):
        room.subscribe(slot, room.join(slot), TRACK + 1)
    room.attach(FIRST_SLOT, TRACK + 1)
    play(room, second, [other], frames=100)
    room.send_rtcp(viewer, rtcp.write_pli(1, FIRST_SLOT))
    assert asked(second) == [HIGH]
