"""A layered stream whose viewers are on another worker: they get the layers, numbers and repairs of those at home."""

from __future__ import annotations

import pytest

from media.native import rtcp
from tests.oracle.dependency import DependencyReader, Structure
from tests.support.layered_camera import SSRC, LayeredCamera, descriptor, layers
from tests.support.layers import FULL, KEY_ONLY
from tests.support.native_peer import Received
from tests.support.worker_pair import FAR, MIRROR, Pair

SLOT, FAR_SLOT = 20, 30
TRACK = 10
LOW, TOP = 0, 2
ALL = 255


def meet(pair: Pair, *, near: int, far: int) -> None:
    pair.publish_video()
    pair.home.subscribe(SLOT, pair.near, TRACK, encoding=near)
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR, encoding=far)


def play(pair: Pair, camera: LayeredCamera, pictures: int) -> None:
    for _ in range(pictures):
        pair.send(*camera.picture())


def contents(received: list[Received]) -> list[tuple[int, bool, bytes, bytes]]:
    return [(packet.number, packet.header.marker, descriptor(packet), packet.body) for packet in received]


@pytest.mark.parametrize("structure", [FULL, KEY_ONLY], ids=["every size", "key only"])
@pytest.mark.parametrize("wanted", [LOW, 1, TOP])
def test_both_get_the_same_layers_and_no_hole(pair: Pair, structure: Structure, wanted: int) -> None:
    meet(pair, near=wanted, far=wanted)
    play(pair, LayeredCamera(structure, 12, keys=(0, 7)), 12)
    near, far = pair.near.take_rtp(), pair.far.take_rtp()
    assert max(size for size, _ in layers(structure, far)) == wanted
    assert contents(far) == contents(near)


def test_each_gets_the_layers_that_it_wants(pair: Pair) -> None:
    meet(pair, near=LOW, far=TOP)
    play(pair, LayeredCamera(FULL, 8), 8)
    rates = (0, 2, 1, 2, 0, 2, 1, 2)
    assert layers(FULL, pair.near.take_rtp()) == [(0, rate) for rate in rates]
    assert layers(FULL, pair.far.take_rtp()) == [(size, rate) for rate in rates for size in (0, 1, 2)]


def test_more_layers_elsewhere_come_with_a_key_picture_that_is_asked_of_the_publisher_once(pair: Pair) -> None:
    meet(pair, near=TOP, far=LOW)
    camera = LayeredCamera(FULL, 24, keys=(0, 16))
    play(pair, camera, 12)
    pair.pass_time(1500)
    pair.asked()
    pair.away.worker.set_layers(FAR_SLOT, TOP, ALL)
    pair.pass_time(300)
    assert pair.asked() == [SSRC]
    play(pair, camera, 8)
    pair.pass_time(1500)
    assert pair.asked() == []
    assert [size for size, _ in layers(FULL, pair.far.take_rtp())] == [0] * 16 + [0, 1, 2] * 4


def test_fewer_layers_elsewhere_come_at_once(pair: Pair) -> None:
    meet(pair, near=TOP, far=TOP)
    camera = LayeredCamera(FULL, 12)
    play(pair, camera, 5)
    pair.asked()
    pair.away.worker.set_layers(FAR_SLOT, LOW, 0)
    play(pair, camera, 7)
    pair.pass_time(300)
    assert pair.asked() == []
    assert layers(FULL, pair.far.take_rtp())[15:] == [(0, 0)]
    assert len(layers(FULL, pair.near.take_rtp())) == 36


def test_the_viewer_elsewhere_is_told_which_targets_it_gets(pair: Pair) -> None:
    meet(pair, near=TOP, far=LOW)
    play(pair, LayeredCamera(FULL, 5), 5)
    reader = DependencyReader(FULL)
    told = [reader.read(descriptor(packet)) for packet in pair.far.take_rtp()]
    assert told[0].brings_structure
    assert reader.structure == FULL
    assert {each.active for each in told if each.starts and each.temporal == 0} == {0b111}


def test_what_was_sent_elsewhere_can_be_had_again_from_there(pair: Pair) -> None:
    meet(pair, near=TOP, far=1)
    play(pair, LayeredCamera(FULL, 8), 8)
    received = pair.far.take_rtp()
    numbers = [packet.number for packet in received]
    pair.away.send_rtcp(pair.far, rtcp.write_nack(FAR, FAR_SLOT, numbers))
    assert pair.far.take_rtp() == received


def test_late_packets_are_sent_elsewhere_too_if_wanted_and_their_numbers_filled_if_not(pair: Pair) -> None:
    meet(pair, near=LOW, far=LOW)
    camera = LayeredCamera(FULL, 6)
    play(pair, camera, 2)
    late = camera.picture()
    play(pair, camera, 2)
    pair.send(*late)
    near, far = pair.near.take_rtp(), pair.far.take_rtp()
    assert [(packet.number, packet.body) for packet in far] == [(packet.number, packet.body) for packet in near]


def test_who_comes_late_elsewhere_begins_at_the_key_picture_that_the_mirror_keeps(pair: Pair) -> None:
    pair.publish_video()
    camera = LayeredCamera(FULL, 16)
    for _ in range(8):
        play(pair, camera, 1)
        pair.pass_time(30)
    pair.asked()
    pair.away.subscribe(FAR_SLOT, pair.far, MIRROR, encoding=LOW)
    for _ in range(8):
        play(pair, camera, 1)
        pair.pass_time(30)
    assert layers(FULL, pair.far.take_rtp()) == [(0, rate) for rate in (0, 2, 1, 2) * 4]
    assert pair.asked() == []


def test_a_muted_stream_goes_on_elsewhere_at_a_key_picture(pair: Pair) -> None:
    meet(pair, near=TOP, far=TOP)
    camera = LayeredCamera(FULL, 20, keys=(0, 12))
    play(pair, camera, 5)
    for worker, row in ((pair.home.worker, TRACK), (pair.away.worker, MIRROR)):
        worker.set_paused(row, True)
    play(pair, camera, 3)
    for worker, row in ((pair.home.worker, TRACK), (pair.away.worker, MIRROR)):
        worker.set_paused(row, False)
    play(pair, camera, 8)
    assert [size for size, _ in layers(FULL, pair.far.take_rtp())] == [0, 1, 2] * 9
