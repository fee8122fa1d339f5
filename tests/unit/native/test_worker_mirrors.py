"""A room on two workers, both driven by hand: who watches elsewhere gets what he would get at home."""

from __future__ import annotations

import pytest

from media.native import rtcp
from tests.support.native_camera import Camera
from tests.support.native_peer import IN_KINDS, OPUS, VIDEO_CODECS, Received, rtp_packet
from tests.support.worker_pair import FAR, MIRROR, TRACK, Pair

OTHER_FAR = 4
SLOT, FAR_SLOT, OTHER_FAR_SLOT = 20, 30, 40
RIDS = (b"q", b"h", b"f")


def contents(received: list[Received]) -> list[tuple[int, int, bytes]]:
    return [(packet.number, packet.header.timestamp, packet.body) for packet in received]


def test_both_viewers_get_the_same_packets(pair: Pair) -> None:
    pair.publish_video()
    pair.home.subscribe(SLOT, pair.near, TRACK)
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    camera = Camera(77, b"10")
    pair.send(*camera.frame(key=True, packets=3))
    pair.play(camera, frames=20)
    near, far = pair.near.take_rtp(), pair.far.take_rtp()
    assert len(near) == 43
    assert [body for _, _, body in contents(far)] == [body for _, _, body in contents(near)]
    assert [packet.number for packet in far] == list(range(far[0].number, far[0].number + 43))
    assert pair.away.counters()["mirrored"] == 43
    assert pair.away.worker.rows() == (1, 0, 1), "a mirror counts at home"


def test_sound_goes_elsewhere_and_its_level_is_told_at_home_alone(pair: Pair) -> None:
    pair.home.publish_audio(TRACK, pair.publisher)
    pair.mirror(is_video=False)
    pair.away.listen(FAR_SLOT, pair.far, MIRROR)
    for number in range(10):
        level = ((1, b"10"), (5, bytes([0x80 | 30])))
        pair.send(
            rtp_packet(
                bytes([number] * 40), ssrc=5, number=number, timestamp=960 * number, payload_type=OPUS, extensions=level
            )
        )
    assert [packet.body[0] for packet in pair.far.take_rtp()] == list(range(10))
    assert [producer for _, producer, _ in pair.home.worker.take_audio_levels()] == [TRACK]
    assert pair.away.worker.take_audio_levels() == []


def test_a_key_frame_wished_for_elsewhere_is_asked_of_the_publisher_once(pair: Pair) -> None:
    pair.publish_video()
    camera = Camera(77, b"10")
    pair.send(*camera.frame(key=True))
    pair.play(camera, frames=200)  # what is kept is too old to be shown
    pair.asked()
    pair.away.join(OTHER_FAR)
    pair.home.subscribe(SLOT, pair.near, TRACK)
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    pair.away.subscribe(OTHER_FAR_SLOT, pair.away.peers[OTHER_FAR], MIRROR)
    pair.play(camera, frames=10)
    assert pair.asked() == [77]
    pair.send(*camera.frame(key=True))
    pair.play(camera, frames=1)
    for viewer in (pair.near, pair.far, pair.away.peers[OTHER_FAR]):
        assert viewer.take_rtp()[0].picture.key_frame
    assert pair.asked() == []


def test_who_comes_late_elsewhere_is_caught_up_from_what_the_mirror_keeps(pair: Pair) -> None:
    pair.publish_video()
    camera = Camera(77, b"10")
    pair.send(*camera.frame(key=True))
    pair.play(camera, frames=30)
    pair.asked()
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    pair.play(camera, frames=30)
    received = pair.far.take_rtp()
    assert received[0].picture.key_frame
    assert len(received) == 1 + 60 * 2
    assert pair.asked() == []


def test_what_a_far_viewer_lost_is_sent_again_from_the_mirror(pair: Pair) -> None:
    pair.publish_video()
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    camera = Camera(77, b"10")
    pair.send(*camera.frame(key=True))
    pair.play(camera, frames=5)
    lost = pair.far.take_rtp()[4]
    pair.away.send_rtcp(pair.far, rtcp.write_nack(FAR, FAR_SLOT, [lost.number]))
    (again,) = pair.far.take_rtp()
    assert again.original_number == lost.number
    assert again.body[2:] == lost.body


def test_layers_are_chosen_elsewhere_by_themselves(pair: Pair) -> None:
    pair.publish_video(RIDS)
    pair.home.subscribe(SLOT, pair.near, TRACK, encoding=2)
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR, encoding=0)
    cameras = [Camera(70 + index, b"10", rid) for index, rid in enumerate(RIDS)]
    for camera in cameras:
        pair.send(*camera.frame(key=True))
    pair.play(*cameras, frames=10)
    pair.near.take_rtp()
    pair.far.take_rtp()
    pair.play(*cameras, frames=1)
    assert {packet.picture.picture_id for packet in pair.far.take_rtp()}
    assert pair.away.worker.consumer_stats(FAR_SLOT)["encoding"] == 0
    assert pair.home.worker.consumer_stats(SLOT)["encoding"] == 2
    pair.away.worker.set_layers(FAR_SLOT, 2, 255)
    pair.play(*cameras, frames=2)
    pair.send(*cameras[2].frame(key=True))
    pair.play(*cameras, frames=1)
    assert pair.away.worker.consumer_stats(FAR_SLOT)["encoding"] == 2


def test_a_new_stream_of_the_publisher_goes_on_elsewhere_without_a_gap(pair: Pair) -> None:
    pair.publish_video()
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    for ssrc in (77, 78):
        camera = Camera(ssrc, b"10", number=1000 * ssrc)
        pair.send(*camera.frame(key=True))
        pair.play(camera, frames=5)
    numbers = [packet.number for packet in pair.far.take_rtp()]
    assert numbers == list(range(numbers[0], numbers[0] + 22))


def test_reports_carry_the_publishers_clock_elsewhere(pair: Pair) -> None:
    pair.publish_video()
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    camera = Camera(77, b"10")
    pair.send(*camera.frame(key=True))
    report = rtcp.Sender(5 << 32, camera.timestamp, 1, 1)
    pair.home.send_rtcp(pair.publisher, rtcp.write_sender_report(77, report))
    pair.exchange()
    pair.play(camera, frames=50)
    assert [packet for packet in pair.far.take_rtcp() if packet.packet_type == rtcp.RTCP_SR]


def test_muted_and_gone_it_carries_nothing(pair: Pair) -> None:
    pair.publish_video()
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    camera = Camera(77, b"10")
    pair.send(*camera.frame(key=True))
    pair.home.worker.set_paused(TRACK, True)
    pair.away.worker.set_paused(MIRROR, True)
    pair.far.take_rtp()
    pair.play(camera, frames=3)
    assert pair.far.take_rtp() == []
    pair.home.worker.unlink(TRACK, pair.away.worker.inbox())
    pair.away.worker.remove_mirror(MIRROR)
    pair.play(camera, frames=3)
    assert pair.far.take_rtp() == []
    assert "producer" not in pair.away.worker.consumer_stats(FAR_SLOT)


def test_letters_for_rows_that_have_gone_are_nothing(pair: Pair) -> None:
    pair.publish_video()
    camera = Camera(77, b"10")
    pair.home.send(pair.publisher, *camera.frame(key=True))
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR)
    pair.away.worker.remove_mirror(MIRROR)
    pair.exchange()
    pair.home.worker.remove_producer(TRACK)
    pair.exchange()
    assert pair.far.take_rtp() == []


def test_a_worker_that_does_not_read_costs_packets_and_nothing_else(pair: Pair) -> None:
    pair.publish_video()
    pair.home.subscribe(SLOT, pair.near, TRACK)
    camera = Camera(77, b"10")
    pair.home.send(pair.publisher, *camera.frame(key=True))
    for _ in range(420):
        pair.home.send(pair.publisher, *camera.frame(packets=10))
    assert pair.home.counters()["mirror_overflows"] == 1 + 4200 - 4096
    assert len(pair.near.take_rtp()) == 4201


def test_what_cannot_be_a_mirror_is_refused(pair: Pair) -> None:
    inbox = pair.home.worker.inbox()
    with pytest.raises(ValueError, match="0 encodings"):
        pair.away.worker.add_mirror(MIRROR, TRACK, inbox, IN_KINDS, True, VIDEO_CODECS, [])
    with pytest.raises(ValueError, match="extension tables"):
        pair.away.worker.add_mirror(MIRROR, TRACK, inbox, b"", True, VIDEO_CODECS, [b""])
    with pytest.raises(KeyError):
        pair.home.worker.link(99, inbox)
    pair.away.worker.remove_mirror(99)
