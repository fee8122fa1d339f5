"""What the worker knows and does about the way to a peer: where it sends, what it counts, and who has moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from media.native import rtcp
from media.native.worker import BYE, STRAY
from tests.support.native_camera import Camera
from tests.support.native_peer import MID_ID, REPAIRED_RID_ID, Peer, Room, rtx_packet

PUBLISHER, VIEWER = 1, 2
TRACK, SLOT = 10, 20
ELSEWHERE = ("127.0.0.1", 9999)


@pytest.fixture
def room() -> Iterator[Room]:
    opened = Room()
    yield opened
    opened.close()


def meet(room: Room, rids: tuple[bytes, ...] = (b"",)) -> tuple[Peer, Peer]:
    publisher, viewer = room.join(PUBLISHER), room.join(VIEWER)
    room.publish_video(TRACK, publisher, rids)
    room.subscribe(SLOT, viewer, TRACK, encoding=len(rids) - 1)
    return publisher, viewer


def events(room: Room, kind: int) -> list[tuple[int, int, int]]:
    return [event[1:4] for event in room.worker.drain_events() if event[0] == kind]


def test_nothing_is_sent_without_an_address_until_there_is_one_again(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    assert viewer.take_rtp()
    room.worker.clear_address(VIEWER)
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    room.pass_time(2000)
    assert viewer.take_rtp() == []
    room.worker.set_address(VIEWER, *viewer.address)
    room.send(publisher, *camera.frame(key=True), *camera.frame())
    assert viewer.take_rtp()
    with pytest.raises(KeyError):
        room.worker.clear_address(99)


def test_a_bye_ends_an_encoding_at_once_and_its_next_packet_begins_it_anew(room: Room) -> None:
    publisher, viewer = meet(room, (b"q", b"f"))
    low, high = Camera(71, b"10", rid=b"q"), Camera(72, b"10", rid=b"f")
    room.send(publisher, *low.frame(key=True), *high.frame(key=True))
    viewer.take_rtp()
    assert room.worker.encoding_stats(TRACK, 1)["active"]
    room.worker.drain_events()
    room.send_rtcp(publisher, rtcp.write_bye(72))
    assert events(room, BYE) == [(PUBLISHER, TRACK, 1)]
    assert not room.worker.encoding_stats(TRACK, 1)["active"]
    assert room.worker.consumer_stats(SLOT)["target"] == 0
    room.send(publisher, *high.frame(key=True))
    assert room.worker.encoding_stats(TRACK, 1)["active"]


def test_a_bye_of_nobody_is_nothing(room: Room) -> None:
    publisher, _ = meet(room)
    room.send_rtcp(publisher, rtcp.write_bye(12345))
    assert events(room, BYE) == []


def test_bytes_are_counted_by_encoding_paused_or_not(room: Room) -> None:
    publisher, _ = meet(room, (b"q", b"f"))
    camera = Camera(71, b"10", rid=b"q")
    assert room.worker.received_bytes(TRACK) == (0, 0)
    room.send(publisher, *camera.frame(key=True))
    low, high = room.worker.received_bytes(TRACK)
    assert low > 0 == high
    room.worker.set_paused(TRACK, True)
    room.send(publisher, *camera.frame())
    assert room.worker.received_bytes(TRACK)[0] > low
    with pytest.raises(KeyError):
        room.worker.received_bytes(99)


def test_repeats_for_a_probe_are_offered_to_nobody(room: Room) -> None:
    """A browser probes its way up with a megabit of them a second; what it was asked for again counts."""
    publisher, _ = meet(room, (b"q", b"f"))
    camera, extensions = Camera(71, b"10", rid=b"q"), ((MID_ID, b"10"), (REPAIRED_RID_ID, b"q"))
    first, lost, third = (camera.frame(key=index == 0)[0] for index in range(3))
    room.send(publisher, first, third)
    room.pass_time(50)
    offered = room.worker.offered_bytes(TRACK)[0]
    for number in range(10):
        room.send(publisher, rtx_packet(first, ssrc=79, number=number, extensions=extensions))
    assert room.worker.received_bytes(TRACK)[0] > offered == room.worker.offered_bytes(TRACK)[0]
    room.send(publisher, rtx_packet(lost, ssrc=79, number=10, extensions=extensions))
    assert room.worker.offered_bytes(TRACK)[0] > offered


def test_a_new_stream_of_an_encoding_goes_on_counting(room: Room) -> None:
    publisher, _ = meet(room, (b"q", b"f"))
    room.send(publisher, *Camera(71, b"10", rid=b"q").frame(key=True))
    offered = room.worker.offered_bytes(TRACK)[0]
    room.send(publisher, *Camera(73, b"10", rid=b"q").frame(key=True))
    assert room.worker.offered_bytes(TRACK)[0] == 2 * offered


def test_a_path_is_known_in_both_directions(room: Room) -> None:
    publisher, viewer = meet(room)
    assert set(room.worker.path_stats(PUBLISHER).values()) == {0}
    camera = Camera(77, b"10")
    frames = [camera.frame(key=index == 0)[0] for index in range(10)]
    room.send(publisher, *frames[:5], *frames[7:])
    inwards = room.worker.path_stats(PUBLISHER)
    assert (inwards["received"], inwards["lost"], inwards["sent"]) == (8, 2, 0)
    block = rtcp.Report(SLOT, 64, 2, 107, 900, 0, 0)
    room.send_rtcp(viewer, rtcp.write_receiver_report(1, [block]))
    outwards = room.worker.path_stats(VIEWER)
    assert (outwards["sent"], outwards["loss_out"], outwards["jitter_out_us"]) == (8, 64, 10_000)
    assert (outwards["received"], outwards["round_trip_us"]) == (0, 0)
    with pytest.raises(KeyError):
        room.worker.path_stats(99)


def test_a_publisher_who_sends_from_elsewhere_is_noticed_and_not_heard(room: Room) -> None:
    publisher, viewer = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    viewer.take_rtp()
    room.worker.drain_events()
    room.feed(publisher.sealer.protect(camera.frame()[0]), ELSEWHERE)
    assert events(room, STRAY) == [(PUBLISHER, 0, 0)]
    assert viewer.take_rtp() == []
    room.send(publisher, *camera.frame())
    assert viewer.take_rtp()


def test_a_viewer_is_noticed_by_its_reports_even_if_all_report_under_one_number(room: Room) -> None:
    _, viewer = meet(room)
    report = rtcp.write_receiver_report(1, [])
    for other in range(3, 13):
        room.send_rtcp(room.join(other), report)
    room.send_rtcp(viewer, report)
    room.feed(viewer.sealer.protect_rtcp(report), ELSEWHERE)
    assert events(room, STRAY) == [(VIEWER, 0, 0)]


def test_strangers_with_other_keys_and_floods_are_nothing(room: Room) -> None:
    publisher, _ = meet(room)
    camera = Camera(77, b"10")
    room.send(publisher, *camera.frame(key=True))
    room.worker.drain_events()
    sealed = publisher.sealer.protect(camera.frame()[0])
    for size in range(0, len(sealed), 7):
        room.feed(sealed[:size], ELSEWHERE)
    assert events(room, STRAY) == []
    room.now_us += 200_000
    for _ in range(20):
        room.feed(b"\x80\x60" + bytes(50), ELSEWHERE)
    room.feed(sealed, ELSEWHERE)
    assert events(room, STRAY) == [], "too many came before it"
    room.now_us += 200_000
    room.feed(sealed, ELSEWHERE)
    assert events(room, STRAY) == [(PUBLISHER, 0, 0)]
