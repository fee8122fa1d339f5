"""What a participant is shown: filling slots, `view`, encodings, codecs that do not fit, and no permission at all."""

from __future__ import annotations

import pytest

from signaling.client_messages import Unpublish, View, ViewRequest
from signaling.codes import ErrorCode
from signaling.identifiers import Source
from signaling.server_messages import SlotsChanged
from tests.unit.signaling.stage import Person, Stage


def views(*requests: ViewRequest, number: int | None = 7) -> View:
    return View(id=number, slots=list(requests))


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def viewer(stage: Stage) -> Person:
    return stage.joins("viewer")


def test_slots_fill_as_people_publish(stage: Stage, viewer: Person) -> None:
    amal, badr = stage.joins("amal"), stage.joins("badr")
    cameras = [amal.publishes(Source.CAMERA), badr.publishes(Source.CAMERA)]
    microphone, screen, sound = (
        badr.publishes(source) for source in (Source.MICROPHONE, Source.SCREEN, Source.SCREEN_AUDIO)
    )
    assert viewer.slots == {
        "10": microphone,
        "11": sound,
        "20": cameras[0],
        "21": cameras[1],
        "22": None,
        "30": screen,
    }
    assert viewer.consumer("20").producer is amal.producer(Source.CAMERA)
    assert set(amal.slots.values()) == {cameras[1], microphone, screen, sound, None}


def test_one_message_tells_only_what_moved(stage: Stage, viewer: Person) -> None:
    camera = stage.joins("amal").publishes(Source.CAMERA)
    (change,) = viewer.last(SlotsChanged).slots
    assert (change.mid, change.track, change.encoding) == ("20", camera, None)


def test_the_encoding_that_flows_is_told_by_its_rid(stage: Stage, viewer: Person) -> None:
    stage.joins("amal").publishes(Source.CAMERA)
    for index, rid in [(0, "q"), (2, "f"), (1, "h")]:
        viewer.consumer("20").switch(index)
        stage.drain()
        assert viewer.encodings["20"] == rid
    told = len(viewer.all(SlotsChanged))
    viewer.consumer("20").switch(1)
    stage.drain()
    assert len(viewer.all(SlotsChanged)) == told


def test_the_answer_to_view_comes_even_if_nothing_moved(stage: Stage, viewer: Person) -> None:
    viewer.says(views(ViewRequest(mid="20")))
    assert viewer.last(SlotsChanged) == SlotsChanged(re=7, slots=())
    before = len(viewer.heard)
    viewer.says(views(ViewRequest(mid="20"), number=None))
    assert len(viewer.heard) == before


def test_a_pinned_track_moves_and_its_old_slot_is_filled_again(stage: Stage, viewer: Person) -> None:
    cameras = [stage.joins(name).publishes(Source.CAMERA) for name in "abcd"]
    assert [viewer.slots[mid] for mid in ("20", "21", "22")] == cameras[:3]
    viewer.says(views(ViewRequest(mid="20", track=cameras[3])))
    assert [viewer.slots[mid] for mid in ("20", "21", "22")] == [cameras[3], cameras[1], cameras[2]]
    viewer.says(views(ViewRequest(mid="20", track=cameras[2])))
    assert [viewer.slots[mid] for mid in ("20", "21", "22")] == [cameras[2], cameras[1], cameras[0]]
    viewer.says(views(ViewRequest(mid="21", track=None)))
    assert [viewer.slots[mid] for mid in ("20", "21", "22")] == [cameras[2], None, cameras[0]]
    viewer.says(views(ViewRequest(mid="21", track="auto"), ViewRequest(mid="20", track="auto")))
    assert [viewer.slots[mid] for mid in ("20", "21", "22")] == [cameras[2], cameras[1], cameras[0]]


def test_a_slot_whose_pinned_track_ends_is_automatic_again(stage: Stage, viewer: Person) -> None:
    amal = stage.joins("amal")
    camera = amal.publishes(Source.CAMERA)
    viewer.says(views(ViewRequest(mid="22", track=camera)))
    assert (viewer.slots["20"], viewer.slots["22"]) == (None, camera)
    amal.says(Unpublish(track=camera))
    assert viewer.slots["22"] is None
    viewer.says(views(ViewRequest(mid="20", track=None), ViewRequest(mid="21", track=None)))
    assert viewer.slots["22"] is None
    again = amal.publishes(Source.CAMERA)
    assert viewer.slots["22"] == again


def test_a_screen_may_be_pinned_into_a_picture_slot(stage: Stage, viewer: Person) -> None:
    screen = stage.joins("amal").publishes(Source.SCREEN)
    viewer.says(views(ViewRequest(mid="21", track=screen)))
    assert (viewer.slots["21"], viewer.slots["30"]) == (screen, None)


def test_what_view_may_not_ask(stage: Stage, viewer: Person) -> None:
    other = stage.joins("amal")
    camera, microphone = other.publishes(Source.CAMERA), other.publishes(Source.MICROPHONE)
    own = viewer.publishes(Source.CAMERA)
    before = dict(viewer.slots)
    for request, code in [
        (ViewRequest(mid="99", track=camera), ErrorCode.UNKNOWN_SLOT),
        (ViewRequest(mid="1", track=camera), ErrorCode.UNKNOWN_SLOT),  # a section on which it sends
        (ViewRequest(mid="20", track="nonsense"), ErrorCode.UNKNOWN_TRACK),
        (ViewRequest(mid="20", track=own), ErrorCode.NOT_ALLOWED),
        (ViewRequest(mid="20", track=microphone), ErrorCode.WRONG_KIND),
        (ViewRequest(mid="10", track=camera), ErrorCode.WRONG_KIND),
    ]:
        # The first request alone would be fine: all or nothing.
        viewer.is_refused(views(ViewRequest(mid="20", track=None), request), code)
        assert viewer.slots == before


def test_wanted_height_and_frame_rate_choose_the_layers(stage: Stage, viewer: Person) -> None:
    amal = stage.joins("amal")
    amal.publishes(Source.CAMERA, height=720)
    consumer = viewer.consumer("20")
    assert consumer.layers == (1, 3)
    viewer.says(views(ViewRequest(mid="20", height=720)))
    assert consumer.layers == (2, 3)
    viewer.says(views(ViewRequest(mid="20", frame_rate=7)))
    assert consumer.layers == (2, 0)
    viewer.says(views(ViewRequest(mid="20", height=90, frame_rate=None)))
    assert consumer.layers == (0, 3)
    viewer.says(views(ViewRequest(mid="20", height=None)))
    assert consumer.layers == (1, 3)


def test_a_screen_is_sent_at_its_best(stage: Stage, viewer: Person) -> None:
    amal = stage.joins("amal")
    amal.says(Unpublish(track=amal.publishes(Source.CAMERA)))
    amal.publishes(Source.SCREEN)
    assert viewer.consumer("30").layers == (0, 3)  # one encoding


def test_real_heights_count_once_they_are_known(stage: Stage, viewer: Person) -> None:
    amal = stage.joins("amal")
    amal.publishes(Source.CAMERA)
    amal.producer(Source.CAMERA).change(codec="VP8", heights=(90, 180, 360))
    assert viewer.consumer("20").layers == (2, 3)


def test_the_codec_of_a_producer_may_turn_out_not_to_fit(stage: Stage, viewer: Person) -> None:
    stage.router.refused_codecs.add("H264")
    amal, badr = stage.joins("amal"), stage.joins("badr")
    first = amal.publishes(Source.CAMERA)
    assert viewer.slots["20"] == first  # nobody knows the codec yet
    amal.producer(Source.CAMERA).change(codec="H264")
    stage.drain()
    assert viewer.slots["20"] is None
    assert viewer.consumer("20").producer is None
    second = badr.publishes(Source.CAMERA)
    assert viewer.slots["20"] == second
    amal.producer(Source.CAMERA).change(codec="VP8")
    stage.drain()
    assert (viewer.slots["20"], viewer.slots["21"]) == (second, first)


def test_a_pinned_track_that_cannot_be_played_leaves_its_slot_empty(stage: Stage, viewer: Person) -> None:
    stage.router.refused_codecs.add("H264")
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.producer(Source.CAMERA).codec = "H264"
    first, second = amal.publishes(Source.CAMERA), badr.publishes(Source.CAMERA)
    assert viewer.slots["20"] == second
    viewer.says(views(ViewRequest(mid="20", track=first)))
    assert viewer.last(SlotsChanged).re == 7
    assert [viewer.slots["20"], viewer.slots["21"]] == [None, second]
    amal.producer(Source.CAMERA).change(codec="VP8")
    stage.drain()
    assert viewer.slots["20"] == first


def test_a_codec_that_becomes_known_does_not_attach_twice_to_anybody_else(stage: Stage, viewer: Person) -> None:
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.publishes(Source.CAMERA)
    badr.publishes(Source.CAMERA)
    attached = viewer.consumer("21").attached
    amal.producer(Source.CAMERA).change(codec="VP8")
    amal.producer(Source.CAMERA).change(heights=(180, 360, 720))
    assert viewer.consumer("21").attached == attached
    assert viewer.consumer("20").attached == 2  # once blind, once when the codec was known


def test_without_the_grant_nothing_is_shown(stage: Stage) -> None:
    deaf = stage.joins("deaf", subscribe=False)
    camera = stage.joins("amal").publishes(Source.CAMERA)
    assert set(deaf.slots.values()) == {None}
    assert all(consumer.attached == 0 for consumer in deaf.transport.consumers.values())
    deaf.is_refused(views(ViewRequest(mid="20", track=camera)), ErrorCode.NOT_ALLOWED)
