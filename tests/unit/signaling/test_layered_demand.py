"""Which sizes of a layered stream a publisher is asked for: those that somebody needs, and all that these need."""

from __future__ import annotations

import pytest

from signaling.allocation_demand import PAUSE_AFTER_S
from signaling.identifiers import Source
from signaling.layers import TEMPORAL_ALL
from signaling.server_messages import Layers, SlotsChanged
from tests.unit.signaling.fake_engine import FakeEncoding
from tests.unit.signaling.stage import Stage
from tests.unit.signaling.test_allocation import passes, wants


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_of_a_layered_stream_the_sizes_that_nobody_needs_rest(stage: Stage) -> None:
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.publishes(Source.SCREEN, height=720)
    badr.publishes(Source.CAMERA, height=720)
    producer = amal.producer(Source.SCREEN)
    mid = next(slot.mid for slot in badr.last(SlotsChanged).slots if slot.track is not None)
    layered = [FakeEncoding(None, height * 16 // 9, height) for height in (180, 360, 720)]
    producer.encodings = layered

    def sends(*heights: int) -> None:
        producer.encodings = [each for each in layered if each.height in heights]
        producer.change(codec="VP9")
        stage.drain()

    def told() -> tuple[bool, float]:
        (only,) = amal.last(Layers).encodings
        return only.active, only.scale_resolution_down_by

    sends(180, 360, 720)
    wants(badr, 180, mid)
    passes(stage, PAUSE_AFTER_S + 2)
    assert told() == (True, 4)
    sends(180)
    passes(stage, 3)
    wants(badr, 360, mid)
    assert told() == (True, 2), "at once, though it is not in the stream"
    assert badr.consumer(mid).layers == (1, TEMPORAL_ALL)
    sends(180, 360)
    wants(badr, 720, mid)
    assert told() == (True, 1)
    sends(180, 360, 720)
    passes(stage, PAUSE_AFTER_S + 2)
    assert told() == (True, 1)


def test_a_layered_stream_of_another_size_begins_anew(stage: Stage) -> None:
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.publishes(Source.SCREEN, height=720)
    producer = amal.producer(Source.SCREEN)
    mid = next(slot.mid for slot in badr.last(SlotsChanged).slots if slot.track is not None)
    producer.encodings = [FakeEncoding(None, height * 16 // 9, height) for height in (180, 360, 720)]
    producer.change(codec="VP9")
    wants(badr, 180, mid)
    passes(stage, PAUSE_AFTER_S + 2)
    assert [each.scale_resolution_down_by for each in amal.last(Layers).encodings] == [4]
    producer.encodings = [FakeEncoding(None, 240, 135)]
    producer.change(codec="VP9")
    stage.drain()
    assert [each.scale_resolution_down_by for each in amal.last(Layers).encodings] == [1]
