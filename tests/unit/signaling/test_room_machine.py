"""Any sequence of things that people do: what each client was told is what the room and the engine do."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from media.rtp.parameters import Mid
from signaling.client_messages import Leave, Mute, Offer, Publish, Unpublish, View, ViewRequest
from signaling.codes import LeftReason
from signaling.identifiers import Source
from signaling.server_messages import (
    Answer,
    Error,
    Joined,
    ParticipantJoined,
    ParticipantLeft,
    ServerMessage,
    SlotsChanged,
    TrackChanged,
    TrackView,
)
from tests.unit.signaling.fake_engine import FakeProducer
from tests.unit.signaling.offers import SLOTS, sdk_offer
from tests.unit.signaling.stage import SECTION_OF, Person, Stage

PEOPLE_MAX = 4
MIDS = [mid for mid, _ in SLOTS]
SECTIONS = [*SECTION_OF.values(), "20", "99"]


class Follower:
    """A client that believes what it is told, and nothing else."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.seq = 0
        self.known: dict[str, dict[str, TrackView]] = {}
        self._read = 0

    def catch_up(self) -> None:
        for message in self.person.heard[self._read :]:
            self._take(message)
        self._read = len(self.person.heard)

    def _take(self, message: ServerMessage) -> None:
        match message:
            case Joined():
                self.seq = message.seq
                for participant in message.room.participants:
                    self.known[participant.id] = {track.id: track for track in participant.tracks}
            case ParticipantJoined():
                self._number(message.seq)
                assert message.participant.id not in self.known
                self.known[message.participant.id] = {}
            case ParticipantLeft():
                self._number(message.seq)
                del self.known[message.participant]
            case TrackChanged():
                self._number(message.seq)
                tracks = self.known[message.participant]
                if message.track.state == "ended":
                    del tracks[message.track.id]
                else:
                    tracks[message.track.id] = message.track
            case SlotsChanged():
                # Whatever a slot is said to show is known by then.
                tracks_known = {track: owner for owner, tracks in self.known.items() for track in tracks}
                for slot in message.slots:
                    assert slot.track is None or tracks_known[slot.track] == slot.participant
            case _:
                assert isinstance(message, Answer | Error)

    def _number(self, seq: int) -> None:
        assert seq == self.seq + 1
        self.seq = seq


class Class(RuleBasedStateMachine):
    """A room in which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.stage.router.refused_codecs.add("H264")
        self.followers: list[Follower] = []
        self.everything: list[str] = ["auto", "nonsense"]
        self.producers: dict[str, FakeProducer] = {}
        """By the track that it carries or carried."""

    @rule(identity=st.sampled_from("abcde"), subscribe=st.booleans() | st.just(True))
    def join(self, identity: str, subscribe: bool) -> None:
        if len(self.followers) < PEOPLE_MAX:
            self.followers.append(Follower(self.stage.joins(identity, subscribe=subscribe)))

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), mid=st.sampled_from(SECTIONS), source=st.sampled_from(Source))
    def publish(self, who: int, mid: str, source: Source) -> None:
        person = self._person(who)
        person.says(Publish(mid=mid, source=source))
        if isinstance(person.heard[-1], TrackChanged):
            track = person.heard[-1].track.id
            self.everything.append(track)
            self.producers[track] = person.transport.producers[Mid(mid)]

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), data=st.data(), muted=st.booleans())
    def mute(self, who: int, data: st.DataObject, muted: bool) -> None:
        self._person(who).says(Mute(track=data.draw(st.sampled_from(self.everything)), muted=muted))

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), data=st.data())
    def unpublish(self, who: int, data: st.DataObject) -> None:
        self._person(who).says(Unpublish(track=data.draw(st.sampled_from(self.everything))))

    @precondition(lambda self: self.followers)
    @rule(
        who=st.integers(0, PEOPLE_MAX),
        mid=st.sampled_from([*MIDS, "99"]),
        height=st.none() | st.integers(1, 2000),
        data=st.data(),
    )
    def view(self, who: int, mid: str, height: int | None, data: st.DataObject) -> None:
        track = data.draw(st.none() | st.sampled_from(self.everything))
        self._person(who).says(View(id=3, slots=[ViewRequest(mid=mid, track=track, height=height)]))

    @precondition(lambda self: self.followers)
    @rule(
        who=st.integers(0, PEOPLE_MAX),
        source=st.sampled_from(Source),
        codec=st.sampled_from(["VP8", "H264"]),
        heights=st.lists(st.integers(0, 1080), max_size=3),
    )
    def learn(self, who: int, source: Source, codec: str, heights: list[int]) -> None:
        producer = self._person(who).transport.producers[Mid(SECTION_OF[source])]
        if not producer.closed:
            producer.change(codec=codec, heights=heights)
            self.stage.drain()

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), mid=st.sampled_from(MIDS), encoding=st.integers(0, 2))
    def switch(self, who: int, mid: str, encoding: int) -> None:
        consumer = self._person(who).consumer(mid)
        if consumer.producer is not None and encoding < len(consumer.producer.encodings):
            consumer.switch(encoding)
            self.stage.drain()

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), removed=st.lists(st.sampled_from([*SECTION_OF.values(), *MIDS]), max_size=3))
    def offer(self, who: int, removed: list[str]) -> None:
        self._person(who).says(Offer(sdp=sdk_offer(removed=removed)))

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), how=st.sampled_from(["leave", "disconnect", "media"]))
    def go(self, who: int, how: str) -> None:
        person = self._person(who)
        if how == "leave":
            person.says(Leave())
        elif how == "disconnect":
            self.stage.room.disconnect(person.id, LeftReason.DISCONNECTED)
        else:
            person.transport.listener.on_closed("consent expired")
        self.stage.drain()
        self.followers = [each for each in self.followers if each.person is not person]

    def _person(self, who: int) -> Person:
        return self.followers[who % len(self.followers)].person

    @invariant()
    def everybody_knows_the_same_room(self) -> None:
        self.followers = [each for each in self.followers if each.person.closed is None]
        for follower in self.followers:
            follower.catch_up()
        if self.followers:
            first = self.followers[0]
            assert all((each.seq, each.known) == (first.seq, first.known) for each in self.followers)
            assert list(first.known) == [each.person.id for each in self.followers]
        assert self.stage.room.size == len(self.followers)

    @invariant()
    def slots_are_what_the_engine_does(self) -> None:
        for follower in self.followers:
            person = follower.person
            own = set(follower.known[person.id])
            for mid, track in person.slots.items():
                consumer = person.consumer(mid)
                assert track not in own
                if consumer.closed:
                    continue  # the client took the section away
                assert consumer.producer is (None if track is None else self.producers[track])
                assert consumer.producer is None or consumer.producer.codec != "H264"

    @invariant()
    def media_flows_only_of_what_is_live(self) -> None:
        for follower in self.followers:
            live = sum(track.state == "live" for track in follower.known[follower.person.id].values())
            flowing = sum(not producer.paused for producer in follower.person.transport.producers.values())
            assert live == flowing


Class.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestClass = Class.TestCase
