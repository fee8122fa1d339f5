"""What a room tells of connections, what publishers are asked to send, and what becomes of those who send too much."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from signaling.bitrates import BitrateLimits
from signaling.client_messages import Mute
from signaling.codes import ErrorCode, LeftReason
from signaling.identifiers import Source
from signaling.levels import Level
from signaling.limits import RoomSettings
from signaling.server_messages import Error, Joined, Layers, Quality, TrackChanged
from signaling.watch import LOOK_S, STILL_LOOKS
from tests.unit.signaling.fake_engine import FakePath, FakeTransport
from tests.unit.signaling.stage import Person, Stage
from tests.unit.signaling.test_resume import breaks_off, comes_back, goes_silent


def passes(stage: Stage, looks: int, *, traffic: dict[Person, float] | None = None) -> None:
    """Let time go on, while people receive and send a hundred packets a look with so much loss."""
    for _ in range(looks):
        stage.now += LOOK_S
        for person, loss in (traffic or {}).items():
            path = person.transport.traffic
            path.received += round(100 * (1 - loss))
            path.lost += round(100 * loss)
            path.sent += 100
        stage.room.handle_timeout(now=stage.now)
        stage.drain()


def told(person: Person) -> list[dict[str, Level]]:
    return [{each.participant: each.level for each in message.participants} for message in person.all(Quality)]


def test_quality_is_told_once_it_is_known_and_when_it_changes() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    passes(stage, 1)
    assert told(amal) == []
    passes(stage, 3, traffic={amal: 0.0, badr: 0.0})
    assert told(amal) == told(badr) == [{amal.id: Level.EXCELLENT, badr.id: Level.EXCELLENT}]
    passes(stage, 3, traffic={amal: 0.1, badr: 0.0})
    assert told(badr)[1:] == [{amal.id: Level.POOR}]


def test_who_comes_later_or_back_is_told_of_everybody() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    passes(stage, 2, traffic={amal: 0.0})
    badr = stage.joins("badr")
    passes(stage, 1, traffic={amal: 0.0})
    assert told(badr) == [{amal.id: Level.EXCELLENT}]
    breaks_off(badr)
    passes(stage, 1, traffic={amal: 0.0})
    comes_back(badr, seq=1)
    passes(stage, 1, traffic={amal: 0.0})
    assert told(badr) == [{amal.id: Level.EXCELLENT}] * 2
    assert told(amal) == [{amal.id: Level.EXCELLENT}]


def test_nobody_is_told_of_who_is_hidden_but_that_one() -> None:
    stage = Stage()
    amal, spy = stage.joins("amal"), stage.joins("spy", hidden=True)
    passes(stage, 2, traffic={spy: 0.0})
    assert told(amal) == []
    assert told(spy) == [{spy.id: Level.EXCELLENT}]


def test_silence_is_a_lost_connection() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    passes(stage, 2, traffic={amal: 0.0})
    goes_silent(amal)
    passes(stage, 1)
    assert told(badr)[-1] == {amal.id: Level.LOST}
    amal.transport.listener.on_alive()
    passes(stage, 2, traffic={amal: 0.0})
    assert told(badr)[-1] == {amal.id: Level.EXCELLENT}


def test_a_path_on_which_nothing_flows_is_seldom_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    looked: list[int] = []

    def look(transport: FakeTransport) -> FakePath:
        looked.append(transport.number)
        return replace(transport.traffic)

    monkeypatch.setattr(FakeTransport, "path", property(look))
    passes(stage, 1 + 4 * (STILL_LOOKS + 1), traffic={amal: 0.0})
    assert looked.count(amal.transport.number) == 1 + 4 * (STILL_LOOKS + 1)
    assert looked.count(badr.transport.number) == 1 + 4
    passes(stage, STILL_LOOKS + 2, traffic={amal: 0.0, badr: 0.0})
    assert told(amal)[-1] == {badr.id: Level.EXCELLENT}, "noticed as soon as it is looked at again"
    goes_silent(badr)
    passes(stage, 1)
    assert told(amal)[-1] == {badr.id: Level.LOST}, "silence is noticed meanwhile"


def test_an_estimator_may_say_that_it_is_worse() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    stage.room.limit_quality(amal.id, Level.AUDIO)
    passes(stage, 2, traffic={amal: 0.0})
    assert told(amal) == [{amal.id: Level.AUDIO}]


def test_publishers_are_told_what_to_send() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    camera = amal.publishes(Source.CAMERA)
    layers = amal.last(Layers)
    assert layers.track == camera
    assert [(each.rid, each.active) for each in layers.encodings] == [("q", True), ("h", True), ("f", True)]
    assert sum(each.max_bitrate_bps for each in layers.encodings) == RoomSettings().bitrates.camera_bps
    amal.publishes(Source.MICROPHONE)
    assert [each.rid for each in amal.last(Layers).encodings] == [None]
    amal.connected = False
    stage.room.suspend(amal.id, LeftReason.DISCONNECTED, now=stage.now)
    again = comes_back(amal, seq=1)
    assert [each.track for each in again if isinstance(each, Layers)] == [camera, amal.last(Layers).track]


def test_who_sends_far_too_much_is_reminded_then_muted_and_nobody_else() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    camera, other = amal.publishes(Source.CAMERA), badr.publishes(Source.CAMERA)
    for _ in range(12):
        for encoding in amal.producer(Source.CAMERA).encodings:
            encoding.bytes += 2_000_000
        for encoding in badr.producer(Source.CAMERA).encodings:
            encoding.bytes += 20_000
        passes(stage, 1)
    asked = amal.all(Layers)
    assert {each.track for each in asked} == {camera}
    assert sum(one == other for one, other in pairwise(asked)) == 1, "a reminder says the same again"
    assert badr.last(Layers).track == other
    assert amal.producer(Source.CAMERA).paused
    assert not badr.producer(Source.CAMERA).paused
    assert badr.last(TrackChanged).track.state == "muted"
    error = amal.last(Error)
    assert (error.code, error.re) == (ErrorCode.BITRATE_EXCEEDED, None)
    assert not badr.all(Error)
    amal.says(Mute(track=camera, muted=False))
    assert not amal.producer(Source.CAMERA).paused
    passes(stage, 12)
    assert not amal.producer(Source.CAMERA).paused


def test_a_room_looks_only_while_somebody_is_there() -> None:
    stage = Stage(RoomSettings(duration_max_s=None))
    amal = stage.joins("amal")
    assert amal.all(Joined)
    assert stage.room.next_timeout() == LOOK_S
    stage.room.disconnect(amal.id, LeftReason.LEFT)
    assert stage.room.next_timeout() is None


@pytest.mark.parametrize(
    "wrong",
    [{"participants_max": 0}, {"resume_window_s": -1.0}, {"resume_window_s": 301.0}, {"duration_max_s": float("nan")}],
)
def test_settings_that_make_no_sense_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is "):
        RoomSettings(**wrong)


def test_other_limits_hold_for_tracks_that_there_are() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    amal.publishes(Source.MICROPHONE)
    stage.room.configure(RoomSettings(bitrates=BitrateLimits(microphone_bps=64_000)))
    stage.drain()
    assert [each.max_bitrate_bps for each in amal.last(Layers).encodings] == [64_000]
