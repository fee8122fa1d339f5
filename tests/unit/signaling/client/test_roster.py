"""From messages to what a client knows, and to events: the manual's examples, a story, and a snapshot after a gap."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signaling.client import events
from signaling.client.events import Event
from signaling.client.reading import read_message
from signaling.client.roster import GONE_UNSEEN, Roster
from signaling.identifiers import Door, ParticipantId
from signaling.levels import Level
from tests.unit.signaling.test_protocol import EXAMPLES


def hear(roster: Roster, type: str, **fields: Any) -> list[Event]:
    read = read_message(json.dumps({"type": type, **fields}).encode())
    assert read is not None
    assert read[1] is not None, f"{type} is not understood"
    return roster.apply(read[1])


def person(identity: str, **fields: Any) -> dict[str, Any]:
    joined_at = "2026-11-21T08:30:00Z"
    return {
        "id": f"p-{identity}",
        "identity": identity,
        "name": identity,
        "joined_at": joined_at,
        "tracks": [],
        **fields,
    }


def track(number: int, state: str = "live") -> dict[str, Any]:
    return {"id": f"t{number}", "source": "camera", "kind": "video", "state": state}


def joins(*people: dict[str, Any], seq: int = 10, roster: Roster | None = None, **room: Any) -> Roster:
    roster = roster or Roster()
    may = {"publish": [], "subscribe": True, "send": True, "moderate": True, "record": False}
    view = {"name": "algebra", "seq": seq, "participants": [person("me"), *people], **room}
    hear(roster, "joined", room=view, participant="p-me", seq=seq, resume=f"token-{seq}", permissions=may)
    return roster


@pytest.mark.parametrize("example", EXAMPLES["server"])
def test_every_example_of_the_manual_is_taken(example: str) -> None:
    read = read_message(example.encode())
    assert read is not None
    assert read[1] is not None
    joins(person("other")).apply(read[1])


@pytest.mark.parametrize(
    "frame", ["", "[]", "nonsense", "{}", '{"type": 1}', '{"type": "joined", "re": "x"}', '"\\ud800"', "\udcff"]
)
def test_what_is_no_message_is_passed_over(frame: str) -> None:
    assert read_message(frame.encode(errors="surrogateescape")) is None


@pytest.mark.parametrize("frame", ['{"type": "newest", "re": 3}', '{"type": "error", "re": 3, "code": "newest"}'])
def test_what_is_unknown_still_says_what_it_answers(frame: str) -> None:
    read = read_message(frame.encode())
    assert read is not None
    assert (read[0].re, read[1]) == (3, None)


def test_people_tracks_hands_and_values() -> None:
    roster = joins()
    (came,) = hear(roster, "participant", seq=11, participant=person("badr"))
    assert isinstance(came, events.ParticipantJoined)
    (shown,) = hear(roster, "track", seq=12, participant="p-badr", track=track(1))
    assert isinstance(shown, events.TrackChanged)
    assert [each.id for each in shown.participant.tracks] == ["t1"]
    hear(roster, "track", seq=13, participant="p-badr", track=track(1, "ended"))
    assert roster.participants[ParticipantId("p-badr")].tracks == ()
    (raised,) = hear(roster, "hands", seq=14, raised=["p-badr"])
    assert isinstance(raised, events.HandRaised)
    assert roster.hands == ["p-badr"]
    (value,) = hear(roster, "state", seq=15, key="away", value=True, participant="p-badr")
    assert isinstance(value, events.ValueChanged)
    assert roster.participants[ParticipantId("p-badr")].state["away"].value is True
    hear(roster, "state", seq=16, key="slide", value=3)
    hear(roster, "state", seq=17, key="slide", value=None)
    assert roster.state == {}
    (away,) = hear(roster, "presence", seq=18, participant="p-badr", suspended=True)
    assert isinstance(away, events.PresenceChanged)
    assert away.participant.suspended
    (left,) = hear(roster, "left", seq=19, participant="p-badr", reason="disconnected")
    assert isinstance(left, events.ParticipantLeft)
    assert (left.reason, roster.hands, roster.seq) == ("disconnected", [], 19)


def test_speakers_quality_and_recording() -> None:
    roster = joins(person("badr"))
    spoken = [
        {"participant": "p-badr", "track": "t1", "level": 0.5},
        {"participant": "p-gone", "track": "t2", "level": 0.1},
    ]
    (speakers,) = hear(roster, "speakers", speakers=spoken)
    assert isinstance(speakers, events.SpeakersChanged)
    assert [(each.participant.identity, each.level) for each in speakers.speakers] == [("badr", 0.5)]
    (quality,) = hear(roster, "quality", participants=[{"participant": "p-badr", "level": "poor"}])
    assert quality == events.QualityChanged({ParticipantId("p-badr"): Level.POOR})
    (recording,) = hear(roster, "recording", seq=11, state="active")
    assert (recording, roster.recording) == (events.RecordingChanged("active"), "active")


def test_messages_name_their_sender() -> None:
    roster = joins(person("badr"))
    (said,) = hear(roster, "message", seq=11, topic="chat", body="hi", participant="p-badr")
    assert isinstance(said, events.MessageReceived)
    assert said.sender is not None
    assert (said.sender.identity, said.is_own) == ("badr", False)
    (own,) = hear(roster, "message", seq=12, topic="chat", body="hi", participant="p-me")
    (notice,) = hear(roster, "message", seq=13, topic="notice", body="hi")
    assert isinstance(own, events.MessageReceived)
    assert isinstance(notice, events.MessageReceived)
    assert (own.is_own, notice.sender) == (True, None)


def test_a_resumption_goes_on_from_its_own_number_and_a_snapshot_tells_the_difference() -> None:
    roster = joins(person("badr", tracks=[track(1)]), person("clara"), hands=["p-clara"])
    may = {"publish": [], "subscribe": True, "send": True, "moderate": False, "record": False}
    (back,) = hear(roster, "resumed", participant="p-me", seq=10, resume="next", permissions=may)
    assert isinstance(back, events.Resumed)
    assert roster.resume_token == "next"
    people = [person("me"), person("badr", tracks=[track(2)], suspended=True), person("dana")]
    room = {"name": "algebra", "seq": 900, "participants": people, "hands": ["p-dana"], "door": "locked"}
    told = hear(roster, "resumed", participant="p-me", seq=900, resume="last", permissions=may, room=room)
    assert [type(each) for each in told] == [
        events.Resumed,
        events.ParticipantLeft,
        events.TrackChanged,
        events.TrackChanged,
        events.PresenceChanged,
        events.ParticipantJoined,
        events.HandRaised,
        events.RoomChanged,
    ]
    gone = told[1]
    assert isinstance(gone, events.ParticipantLeft)
    assert (gone.participant.identity, gone.reason) == ("clara", GONE_UNSEEN)
    assert (roster.door, roster.seq) == (Door.LOCKED, 900)


def test_a_fresh_join_begins_the_numbers_anew() -> None:
    roster = joins(person("badr"), seq=500)
    joins(person("badr"), seq=3, roster=roster)
    assert (roster.seq, roster.resume_token) == (3, "token-3")
