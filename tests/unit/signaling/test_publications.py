"""Publishing: what is refused, who hears of it, mute, the end, and what the engine learns later."""

from __future__ import annotations

import pytest

from signaling.client_messages import Mute, Publish, Unpublish
from signaling.codes import ErrorCode
from signaling.identifiers import Source
from signaling.server_messages import Joined, TrackChanged
from tests.unit.signaling.offers import CAMERA, MICROPHONE
from tests.unit.signaling.stage import Stage


def test_everybody_hears_of_a_track_and_the_publisher_gets_the_answer() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    assert amal.producer(Source.CAMERA).paused
    amal.says(Publish(id=5, mid=CAMERA, source=Source.CAMERA, width=1280, height=720))
    assert not amal.producer(Source.CAMERA).paused
    own, other = amal.last(TrackChanged), badr.last(TrackChanged)
    assert (own.re, other.re, own.seq, other.seq, own.track) == (5, None, 3, 3, other.track)
    track = own.track
    assert (track.source, track.kind.value, track.state, track.width, track.height) == (
        Source.CAMERA,
        "video",
        "live",
        1280,
        720,
    )
    assert (track.codec, track.encodings) == (None, ("q", "h", "f"))


def test_a_track_published_muted_flows_once_it_is_unmuted() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    track = amal.publishes(Source.MICROPHONE, muted=True)
    assert amal.producer(Source.MICROPHONE).paused
    assert badr.last(TrackChanged).track.state == "muted"
    assert badr.slots["10"] == track
    amal.says(Mute(id=6, track=track, muted=False))
    assert not amal.producer(Source.MICROPHONE).paused
    assert (amal.last(TrackChanged).re, badr.last(TrackChanged).track.state) == (6, "live")
    amal.says(Mute(track=track, muted=True))
    assert amal.producer(Source.MICROPHONE).paused
    assert badr.slots["10"] == track


def test_an_ended_track_frees_its_section() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    first = amal.publishes(Source.CAMERA)
    amal.says(Unpublish(id=8, track=first))
    ended = badr.last(TrackChanged)
    assert (ended.track.id, ended.track.state) == (first, "ended")
    assert amal.last(TrackChanged).re == 8
    producer = amal.producer(Source.CAMERA)
    assert producer.paused
    assert not producer.closed
    amal.is_refused(Mute(id=9, track=first, muted=True), ErrorCode.UNKNOWN_TRACK)
    second = amal.publishes(Source.CAMERA)
    assert second != first
    assert badr.slots["20"] == second
    assert [track.id for track in stage.joins("chen").last(Joined).room.participants[0].tracks] == [second]


@pytest.mark.parametrize("source", list(Source))
def test_publishing_needs_the_grant_of_the_source(source: Source) -> None:
    stage = Stage()
    others = set(Source) - {source}
    sections = {Source.MICROPHONE: "0", Source.CAMERA: "1", Source.SCREEN: "2", Source.SCREEN_AUDIO: "3"}
    amal = stage.joins("amal", publish=others)
    amal.is_refused(Publish(id=5, mid=sections[source], source=source), ErrorCode.NOT_ALLOWED)
    for other in others:
        amal.publishes(other)


def test_only_a_section_of_ones_own_that_sends_can_be_published() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    for mid in ("99", "20", "10"):  # nobody's, and two slots
        amal.is_refused(Publish(id=5, mid=mid, source=Source.CAMERA), ErrorCode.UNKNOWN_SECTION)


@pytest.mark.parametrize(
    ("mid", "source"),
    [
        (MICROPHONE, Source.CAMERA),
        (MICROPHONE, Source.SCREEN),
        (CAMERA, Source.MICROPHONE),
        (CAMERA, Source.SCREEN_AUDIO),
    ],
)
def test_audio_is_no_camera(mid: str, source: Source) -> None:
    Stage().joins("amal").is_refused(Publish(id=5, mid=mid, source=source), ErrorCode.WRONG_KIND)


def test_a_section_carries_one_track() -> None:
    amal = Stage().joins("amal")
    amal.publishes(Source.CAMERA)
    amal.is_refused(Publish(id=5, mid=CAMERA, source=Source.SCREEN), ErrorCode.SECTION_BUSY)


def test_nobody_touches_the_track_of_another() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    track = amal.publishes(Source.MICROPHONE)
    badr.is_refused(Mute(id=5, track=track, muted=True), ErrorCode.UNKNOWN_TRACK)
    badr.is_refused(Unpublish(id=6, track=track), ErrorCode.UNKNOWN_TRACK)
    assert not amal.producer(Source.MICROPHONE).paused


def test_what_the_engine_learns_is_told_once() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.publishes(Source.CAMERA)
    producer = amal.producer(Source.CAMERA)
    producer.change(codec="VP8", heights=(180, 360, 720))
    stage.drain()
    told = badr.last(TrackChanged)
    assert (told.track.codec, told.track.width, told.track.height, told.re) == ("VP8", 1280, 720, None)
    heard = len(badr.heard)
    producer.change(heights=(90, 180, 720))  # nothing that the room is told
    stage.drain()
    assert len(badr.heard) == heard


def test_what_the_engine_learns_of_an_unpublished_section_is_told_nobody() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    track = amal.publishes(Source.CAMERA)
    amal.says(Unpublish(track=track))
    heard = len(badr.heard)
    amal.producer(Source.CAMERA).change(codec="VP8")
    stage.drain()
    assert len(badr.heard) == heard
