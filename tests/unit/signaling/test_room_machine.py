"""Any sequence of things that people do: what each client was told is what the room and the engine do."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from media.routing.path_estimate import PathEstimate
from media.rtp.parameters import Mid
from signaling.client_messages import (
    Admit,
    AnyClientMessage,
    Hand,
    Leave,
    Limit,
    Lock,
    Mute,
    MuteParticipant,
    Offer,
    Permit,
    Publish,
    Recipients,
    Record,
    Remove,
    Resume,
    Send,
    SendBack,
    SetState,
    Spotlight,
    Unpublish,
    View,
    ViewRequest,
)
from signaling.codes import LeftReason
from signaling.errors import RequestError
from signaling.identifiers import Door, Role, Source
from signaling.limits import RoomSettings
from signaling.server_messages import (
    Answer,
    Asked,
    Done,
    Ended,
    Error,
    HandsChanged,
    Joined,
    Knock,
    KnockOver,
    Layers,
    MediaPath,
    MessageSent,
    ParticipantJoined,
    ParticipantLeft,
    Permissions,
    Presence,
    Quality,
    RecordingChanged,
    Resumed,
    RoomChanged,
    RoomView,
    ServerMessage,
    SlotsChanged,
    Speakers,
    StateChanged,
    TrackChanged,
    TrackView,
    Waiting,
)
from tests.unit.signaling.fake_engine import FakeProducer
from tests.unit.signaling.offers import SLOTS, sdk_offer
from tests.unit.signaling.stage import SECTION_OF, Person, Stage

PEOPLE_MAX = 4
SPOKEN = Source.MICROPHONE
MIDS = [mid for mid, _ in SLOTS]
SECTIONS = [*SECTION_OF.values(), "20", "99"]


class Follower:
    """A client that believes what it is told, and nothing else."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.seq = 0
        self.known: dict[str, dict[str, TrackView]] = {}
        self.suspended: set[str] = set()
        self.hands: list[str] = []
        self.state: dict[tuple[str, str], object] = {}
        self.door = Door.OPEN
        self.spotlight: tuple[str, ...] = ()
        self.recording = "off"
        self.resume = ""
        self._read = 0

    @property
    def room(self) -> object:
        """All that is known and must be the same for everybody."""
        return self.known, self.suspended, self.hands, self.state, self.door, self.spotlight, self.recording

    def catch_up(self) -> None:
        for message in self.person.heard[self._read :]:
            self._take(message)
        self._read = len(self.person.heard)

    def _take(self, message: ServerMessage) -> None:  # noqa: PLR0912 - one case a message
        match message:
            case Joined():
                self.resume = message.resume
                self._take_room(message.room)
            case Resumed():
                self.resume = message.resume
                if message.room is not None:
                    self._take_room(message.room)
                assert message.seq == self.seq
            case Presence():
                self._number(message.seq)
                (self.suspended.add if message.suspended else self.suspended.remove)(message.participant)
            case HandsChanged():
                self._number(message.seq)
                self.hands = [each for each in self.hands if each not in message.lowered] + list(message.raised)
            case StateChanged():
                self._number(message.seq)
                self._keep(message.participant or "", message.key, message.value)
            case RoomChanged():
                self._number(message.seq)
                self.door, self.spotlight = message.door, message.spotlight
            case MessageSent() | Permissions() | Knock() | KnockOver() | Asked():
                self._number(message.seq)
            case ParticipantJoined():
                self._number(message.seq)
                assert message.participant.id not in self.known
                self.known[message.participant.id] = {}
            case ParticipantLeft():
                self._number(message.seq)
                del self.known[message.participant]
                self.suspended.discard(message.participant)
                self.hands = [each for each in self.hands if each != message.participant]
                self.spotlight = tuple(each for each in self.spotlight if each != message.participant)
                self.state = {key: value for key, value in self.state.items() if key[0] != message.participant}
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
            case RecordingChanged():
                self._number(message.seq)
                self.recording = message.state
            case Speakers():
                live = {each.id for tracks in self.known.values() for each in tracks.values() if each.state == "live"}
                assert {each.track for each in message.speakers} <= live
            case Quality():
                for each in message.participants:
                    assert each.participant in self.known or each.participant == self.person.id
            case Layers():
                assert message.track in self.known[self.person.id]
            case _:
                assert isinstance(message, Answer | Error | Done | Ended | Waiting | MediaPath)

    def _take_room(self, room: RoomView) -> None:
        self.seq = room.seq
        self.door, self.spotlight, self.hands = room.door, room.spotlight, list(room.hands)
        self.recording = room.recording
        self.known = {each.id: {track.id: track for track in each.tracks} for each in room.participants}
        self.suspended = {each.id for each in room.participants if each.suspended}
        self.state = {("", key): entry.value for key, entry in room.state.items()}
        for each in room.participants:
            self.state |= {(each.id, key): entry.value for key, entry in each.state.items()}

    def _keep(self, owner: str, key: str, value: object) -> None:
        self.state.pop((owner, key), None)
        if value is not None:
            self.state[owner, key] = value

    def _number(self, seq: int) -> None:
        assert seq > self.seq
        self.seq = seq


class Class(RuleBasedStateMachine):
    """A room in which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(RoomSettings(duration_max_s=None))
        self.stage.router.refused_codecs.add("H264")
        self.followers: list[Follower] = []
        self.waiting: list[Follower] = []
        self.everything: list[str] = ["auto", "nonsense"]
        self.producers: dict[str, FakeProducer] = {}
        """By the track that it carries or carried."""

    @rule(
        identity=st.sampled_from("abcde"),
        subscribe=st.booleans() | st.just(True),
        role=st.sampled_from([Role.STUDENT, Role.STUDENT, Role.ASSISTANT, Role.TEACHER]),
        hidden=st.sampled_from([False, False, False, True]),
    )
    def join(self, identity: str, subscribe: bool, role: Role, hidden: bool) -> None:
        if len(self.followers) + len(self.waiting) < PEOPLE_MAX:
            try:
                person = self.stage.joins(identity, subscribe=subscribe, role=role, hidden=hidden)
            except RequestError:
                return
            (self.followers if person.all(Joined) else self.waiting).append(Follower(person))

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), whom=st.integers(0, 2 * PEOPLE_MAX), data=st.data())
    def conduct(self, who: int, whom: int, data: st.DataObject) -> None:
        self.stage.now += 1.0
        other = self._anybody(whom)
        everybody = data.draw(st.sampled_from([other, "all"]))
        messages: list[AnyClientMessage] = [
            Hand(raised=True),
            Hand(raised=False),
            Hand(raised=False, participant=everybody),
            Send(id=4, body="x", to=Recipients(participants=[other])),
            SetState(scope="own", key="k", value=1),
            SetState(scope="room", key="k", value=2),
            SetState(scope="room", key="k", value=None),
            Spotlight(participants=[other]),
            MuteParticipant(participant=everybody),
            Permit(participant=other, publish=[Source.CAMERA]),
            Permit(participant=other, subscribe=False, moderate=True),
            Permit(participant=other, subscribe=True, publish=list(Source)),
            Record(action="start"),
            Record(action="pause"),
            Record(action="stop"),
            Lock(door=Door.OPEN),
            Lock(door=Door.WAITING),
            Lock(door=Door.LOCKED),
            Admit(participant=everybody),
            SendBack(participant=other),
            Remove(participant=other),
        ]
        self._person(who).says(data.draw(st.sampled_from(messages)))

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX))
    def break_off(self, who: int) -> None:
        person = self._person(who)
        if person.connected:
            person.connected = False
            self.stage.room.suspend(person.id, LeftReason.DISCONNECTED, now=self.stage.now)
            self.stage.drain()

    @rule(who=st.integers(0, PEOPLE_MAX), restart=st.booleans(), back=st.integers(0, 3))
    def come_back(self, who: int, restart: bool, back: int) -> None:
        away = [each for each in self.followers if not each.person.connected]
        if away:
            follower = away[who % len(away)]
            offer = sdk_offer(ufrag=f"new{self.stage.now:.0f}") if restart else None
            request = Resume(token=follower.resume, seq=follower.seq if back else 2**40, offer=offer)
            try:
                self.stage.room.resume(request, follower.person.grants, expires_at=1e9)
            except RequestError:
                return
            follower.person.connected = True
            self.stage.drain()

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), silent=st.booleans())
    def media_path(self, who: int, silent: bool) -> None:
        """The media path breaks or works again, whether the connection is there or not."""
        listener = self.followers[who % len(self.followers)].person.transport.listener
        if silent:
            listener.on_silent(now=self.stage.now)
        else:
            listener.on_alive()
        self.stage.drain()

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), received=st.integers(0, 2000), lost=st.integers(0, 500))
    def traffic(self, who: int, received: int, lost: int) -> None:
        person = self.followers[who % len(self.followers)].person
        person.transport.traffic.received += received
        person.transport.traffic.lost += lost
        for producer in person.transport.producers.values():
            for encoding in producer.encodings:
                encoding.bytes += received * 1200

    @precondition(lambda self: self.followers)
    @rule(who=st.integers(0, PEOPLE_MAX), bitrate_bps=st.sampled_from([30_000, 110_000, 400_000, 20_000_000]))
    def estimate(self, who: int, bitrate_bps: int) -> None:
        """The engine has an idea of what the path to somebody carries."""
        assert self.stage.router.on_estimates is not None
        transport = self.followers[who % len(self.followers)].person.transport
        self.stage.router.on_estimates([(transport, PathEstimate(bitrate_bps, 0.0, 0.1))], self.stage.now)
        self.stage.drain()

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), level=st.sampled_from(["good", "minimal", "audio", None]))
    def limit(self, who: int, level: Any) -> None:
        self._person(who).says(Limit(id=6, level=level))

    @rule()
    def fail_to_record(self) -> None:
        self.stage.recorder.fail()
        self.stage.drain()

    @rule(seconds=st.sampled_from([1.0, 2.0, 9.0, 30.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.stage.now += seconds
        self.stage.room.handle_timeout(now=self.stage.now)
        self.stage.drain()

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), mid=st.sampled_from(SECTIONS), source=st.sampled_from(Source))
    def publish(self, who: int, mid: str, source: Source) -> None:
        person = self._person(who)
        person.says(Publish(mid=mid, source=source))
        if isinstance(person.heard[-1], Layers):
            track = person.last(TrackChanged).track.id
            self.everything.append(track)
            self.producers[track] = person.transport.producers[Mid(mid)]

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), data=st.data(), muted=st.booleans())
    def mute(self, who: int, data: st.DataObject, muted: bool) -> None:
        self._person(who).says(Mute(track=data.draw(st.sampled_from(self.everything)), muted=muted))

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), data=st.data())
    def unpublish(self, who: int, data: st.DataObject) -> None:
        self._person(who).says(Unpublish(track=data.draw(st.sampled_from(self.everything))))

    @precondition(lambda self: self.speakers)
    @rule(
        who=st.integers(0, PEOPLE_MAX),
        mid=st.sampled_from([*MIDS, "99"]),
        height=st.none() | st.integers(1, 2000),
        data=st.data(),
    )
    def view(self, who: int, mid: str, height: int | None, data: st.DataObject) -> None:
        track = data.draw(st.none() | st.sampled_from(self.everything))
        self._person(who).says(View(id=3, slots=[ViewRequest(mid=mid, track=track, height=height)]))

    @precondition(lambda self: self.speakers)
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

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), mid=st.sampled_from(MIDS), encoding=st.integers(0, 2))
    def switch(self, who: int, mid: str, encoding: int) -> None:
        consumer = self._person(who).consumer(mid)
        if consumer.producer is not None and encoding < len(consumer.producer.encodings):
            consumer.switch(encoding)
            self.stage.drain()

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), other=st.integers(0, PEOPLE_MAX), steps=st.integers(1, 12))
    def speak(self, who: int, other: int, steps: int) -> None:
        assert self.stage.router.on_levels is not None
        producers = [self._person(each).transport.producers[Mid(SECTION_OF[SPOKEN])] for each in (who, other)]
        for step in range(steps):
            self.stage.now += 0.1
            heard = [(producer, bytes([20] * 5)) for producer in producers[: 1 + step % 2]]
            self.stage.router.on_levels(heard, self.stage.now)
            self.stage.drain()

    @precondition(lambda self: self.speakers)
    @rule(who=st.integers(0, PEOPLE_MAX), removed=st.lists(st.sampled_from([*SECTION_OF.values(), *MIDS]), max_size=3))
    def offer(self, who: int, removed: list[str]) -> None:
        self._person(who).says(Offer(sdp=sdk_offer(removed=removed)))

    @precondition(lambda self: self.speakers)
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
        return self.speakers[who % len(self.speakers)].person

    @property
    def speakers(self) -> list[Follower]:
        """Those who are connected."""
        return [each for each in self.followers if each.person.connected]

    def _anybody(self, whom: int) -> str:
        ids = [each.person.id for each in [*self.followers, *self.waiting]]
        return [*ids, "nobody"][whom % (len(ids) + 1)]

    def _is_there(self, follower: Follower) -> bool:
        person = follower.person
        if person.connected:
            return person.closed is None
        try:
            return self.stage.room.check_resume(Resume(token=follower.resume, seq=0), person.grants) == person.id
        except RequestError:
            return False

    @invariant()
    def everybody_knows_the_same_room(self) -> None:
        self.followers += [each for each in self.waiting if each.person.all(Joined)]
        self.waiting = [each for each in self.waiting if each.person.closed is None and not each.person.all(Joined)]
        for follower in self.followers:
            follower.catch_up()
        self.followers = [each for each in self.followers if self._is_there(each)]
        assert self.stage.room.size == len(self.followers)
        assert self.stage.room.empty == (not self.followers and not self.waiting)
        seen = [each.person.id for each in self.followers if not each.person.grants.hidden]
        for follower in self.speakers:
            if follower.person.grants.hidden:
                follower.known.pop(follower.person.id, None)
            assert list(follower.known) == seen
            assert follower.room == self.speakers[0].room

    @invariant()
    def slots_are_what_the_engine_does(self) -> None:
        for follower in self.speakers:
            person = follower.person
            own = set(follower.known.get(person.id, ()))
            for mid, track in person.slots.items():
                consumer = person.consumer(mid)
                assert track not in own
                if consumer.closed:
                    continue  # the client took the section away
                rests = track is None or person.paused[mid]
                assert consumer.producer is (None if rests else self.producers[track or ""])
                assert consumer.producer is None or consumer.producer.codec != "H264"

    @invariant()
    def publishers_are_asked_for_what_is_to_be_shown(self) -> None:
        people = self.stage.room.survey().participants
        tracks = [track for person in people for track in person.tracks.values()]
        asked = {id(track.producer): track.asked for track in tracks}
        for follower in self.followers:
            for consumer in follower.person.transport.consumers.values():
                if not consumer.closed and consumer.producer is not None and consumer.layers is not None:
                    assert asked[id(consumer.producer)][consumer.layers[0]]

    @invariant()
    def media_flows_only_of_what_is_live(self) -> None:
        for follower in self.speakers:
            live = sum(track.state == "live" for track in follower.known.get(follower.person.id, {}).values())
            flowing = sum(not producer.paused for producer in follower.person.transport.producers.values())
            assert live == flowing


Class.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestClass = Class.TestCase
