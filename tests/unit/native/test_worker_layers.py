"""A layered stream through the worker: what a viewer is sent, under which numbers, and what can be had again."""

from __future__ import annotations

from media.native import rtcp
from tests.oracle.dependency import DependencyReader
from tests.support.layered_camera import PACKETS, SSRC, LayeredCamera, descriptor, layers
from tests.support.layers import FULL, KEY_ONLY
from tests.support.native_peer import Peer, Room

PUBLISHER, VIEWER = 1, 2
TRACK, SLOT = 10, 20
LOW, TOP = 0, 2
ALL = 255


def meet(room: Room, *, wanted: int) -> tuple[Peer, Peer]:
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_video(TRACK, publisher)
    room.subscribe(SLOT, viewer, TRACK, encoding=wanted)
    return publisher, viewer


def play(room: Room, publisher: Peer, camera: LayeredCamera, pictures: int) -> None:
    for _ in range(pictures):
        room.send(publisher, *camera.picture())


def key_frame_requests(publisher: Peer) -> list[rtcp.Packet]:
    """Return the PLIs that came."""
    return [each for each in publisher.take_rtcp() if (each.packet_type, each.count_or_format) == (206, 1)]


def test_a_viewer_gets_the_layers_that_it_wants_and_no_hole(room: Room) -> None:
    publisher, viewer = meet(room, wanted=LOW)
    play(room, publisher, LayeredCamera(FULL, 8), 8)
    received = viewer.take_rtp()
    assert layers(FULL, received) == [(0, rate) for rate in (0, 2, 1, 2, 0, 2, 1, 2)]
    numbers = [DependencyReader(FULL).read(descriptor(packet)).number for packet in received[::PACKETS]]
    assert numbers == [(65_500 + 3 * picture) % 65536 for picture in range(8)], "what is referred to is found"


def test_the_viewer_is_told_which_targets_it_gets(room: Room) -> None:
    publisher, viewer = meet(room, wanted=LOW)
    play(room, publisher, LayeredCamera(FULL, 5), 5)
    reader = DependencyReader(FULL)
    told = [reader.read(descriptor(packet)) for packet in viewer.take_rtp()]
    assert told[0].brings_structure
    assert reader.structure == FULL, "the structure is as it was"
    assert {each.active for each in told if each.starts and each.temporal == 0} == {0b111}
    assert {each.active for each in told if not each.starts or each.temporal} == {None}


def test_more_layers_come_with_a_key_picture_that_is_asked_for_once(room: Room) -> None:
    publisher, viewer = meet(room, wanted=LOW)
    camera = LayeredCamera(FULL, 24, keys=(0, 16))
    play(room, publisher, camera, 12)
    publisher.take_rtcp()
    room.pass_time(1500)
    room.worker.set_layers(SLOT, TOP, ALL)
    room.pass_time(300)
    asked = key_frame_requests(publisher)
    assert [rtcp.read_media_ssrc(packet) for packet in asked] == [SSRC]
    play(room, publisher, camera, 8)
    room.pass_time(1500)
    assert not key_frame_requests(publisher)
    sizes = [size for size, _ in layers(FULL, viewer.take_rtp())]
    assert sizes == [0] * 16 + [0, 1, 2] * 4


def test_in_a_class_larger_layers_wait_for_a_key_picture_that_is_not_the_third_in_a_row(room: Room) -> None:
    publisher, _ = meet(room, wanted=LOW)
    for viewer in range(3, 15):
        room.subscribe(SLOT + viewer, room.join(viewer), TRACK, encoding=LOW)
    camera = LayeredCamera(FULL, 40, keys=(0, 16, 28))

    def pass_time(milliseconds: int) -> int:
        """Let pictures come now and then, and return how many key pictures were asked for."""
        for _ in range(0, milliseconds, 500):
            play(room, publisher, camera, 1)
            room.pass_time(500)
        return len(key_frame_requests(publisher))

    play(room, publisher, camera, 8)
    pass_time(3000)
    room.worker.set_layers(SLOT, TOP, ALL)
    assert pass_time(500) == 1, "the publisher was left in peace for long"
    play(room, publisher, camera, 2)
    room.worker.set_layers(SLOT + 3, TOP, ALL)
    assert pass_time(1500) == 0, "it sees a smaller picture meanwhile"
    assert pass_time(1500) == 1


def test_fewer_layers_at_once_and_without_a_key_picture(room: Room) -> None:
    publisher, viewer = meet(room, wanted=TOP)
    camera = LayeredCamera(FULL, 12)
    play(room, publisher, camera, 5)
    publisher.take_rtcp()
    room.worker.set_layers(SLOT, LOW, 0)
    play(room, publisher, camera, 7)
    room.pass_time(300)
    assert not key_frame_requests(publisher)
    assert layers(FULL, viewer.take_rtp())[15:] == [(0, 0)]


def test_only_the_largest_size_of_a_key_only_stream_is_sent(room: Room) -> None:
    publisher, viewer = meet(room, wanted=TOP)
    play(room, publisher, LayeredCamera(KEY_ONLY, 4), 4)
    assert layers(KEY_ONLY, viewer.take_rtp()) == [(0, 0), (1, 0), (2, 0), (2, 2), (2, 1), (2, 2)]


def test_what_was_sent_can_be_had_again_byte_for_byte(room: Room) -> None:
    publisher, viewer = meet(room, wanted=1)
    play(room, publisher, LayeredCamera(FULL, 8), 8)
    received = viewer.take_rtp()
    numbers = [packet.number for packet in received]
    room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, numbers))
    assert viewer.take_rtp() == received, "without RTX a number must not stand for two packets, marker included"


def test_late_packets_are_sent_if_wanted_and_their_numbers_filled_if_not(room: Room) -> None:
    publisher, viewer = meet(room, wanted=LOW)
    camera = LayeredCamera(FULL, 6)
    play(room, publisher, camera, 2)
    late = camera.picture()
    play(room, publisher, camera, 2)
    room.send(publisher, *late)
    received = viewer.take_rtp()
    assert sorted(packet.number for packet in received) == list(range(100, 100 + 2 * 4 + len(late)))
    tail = received[-len(late) :]
    assert [bool(packet.body) for packet in tail] == [True] * PACKETS + [False] * (len(late) - PACKETS)
    assert [packet.header.marker for packet in tail[:PACKETS]] == [False, True]
    room.send_rtcp(viewer, rtcp.write_nack(1, SLOT, [packet.number for packet in tail]))
    assert viewer.take_rtp() == tail[:PACKETS], "what was filled is not sent after all"


def test_each_layer_is_measured_with_all_that_it_needs(room: Room) -> None:
    publisher, _ = meet(room, wanted=LOW)
    camera = LayeredCamera(KEY_ONLY, 9)
    play(room, publisher, camera, 4)
    counted = {(size, rate): received for size, rate, received, *_ in room.worker.layer_stats(TRACK, 0)}
    play(room, publisher, camera, 4)
    counts = room.worker.layer_stats(TRACK, 0)
    grown = {(size, rate): received - counted[size, rate] for size, rate, received, *_ in counts}
    assert [(size, rate) for size, rate, *_ in counts] == KEY_ONLY.layers()
    assert [heights for *_, heights in counts] == [180] * 3 + [360] * 3 + [720] * 3
    assert grown[0, 0] == grown[1, 0] == grown[2, 0], "between key pictures each size stands for itself"
    assert grown[0, 1] == 2 * grown[0, 0]
    assert grown[0, 2] == 4 * grown[0, 0]


def test_a_muted_stream_goes_on_at_a_key_picture(room: Room) -> None:
    publisher, viewer = meet(room, wanted=TOP)
    camera = LayeredCamera(FULL, 20, keys=(0, 12))
    play(room, publisher, camera, 5)
    room.worker.set_paused(TRACK, True)
    play(room, publisher, camera, 3)
    room.worker.set_paused(TRACK, False)
    play(room, publisher, camera, 8)
    assert [size for size, _ in layers(FULL, viewer.take_rtp())] == [0, 1, 2] * 9
