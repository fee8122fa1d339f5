"""A room with a fake engine below it, and the people in it: what tests of the room play on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import TypeVar

from media.rtp.parameters import Mid
from signaling.bans import Bans
from signaling.client_messages import AnyClientMessage, Join, Publish, SlotRequest
from signaling.codes import ErrorCode
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, ParticipantId, Role, RoomName, SlotKind, Source
from signaling.limits import RoomSettings
from signaling.outbox import Close, Tell
from signaling.record import Note
from signaling.room import Room
from signaling.server_messages import Error, Joined, ServerMessage, SlotsChanged, TrackChanged
from tests.unit.signaling.fake_engine import FakeConsumer, FakeProducer, FakeRouter, FakeTransport
from tests.unit.signaling.fake_recorder import FakeRecorder
from tests.unit.signaling.offers import CAMERA, MICROPHONE, SCREEN, SCREEN_AUDIO, SLOTS, sdk_offer

WALLCLOCK = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
SECTION_OF = {
    Source.MICROPHONE: MICROPHONE,
    Source.CAMERA: CAMERA,
    Source.SCREEN: SCREEN,
    Source.SCREEN_AUDIO: SCREEN_AUDIO,
}

Message = TypeVar("Message", bound=ServerMessage)


class Person:
    """Somebody who joined, with the ears open."""

    def __init__(self, stage: Stage, participant: ParticipantId, grants: Grants) -> None:
        self.stage = stage
        self.id = participant
        self.grants = grants
        self._transport: FakeTransport | None = None
        self.heard: list[ServerMessage] = []
        self.closed: Close | None = None
        self.connected = True
        self.slots: dict[str, str | None] = {}
        """What the client knows of its slots."""
        self.encodings: dict[str, str | None] = {}
        self.paused: dict[str, bool] = {}

    def says(self, message: AnyClientMessage) -> None:
        self.stage.room.receive(self.id, message, now=self.stage.now)
        self.stage.drain()

    def publishes(self, source: Source, *, muted: bool = False, height: int | None = None) -> str:
        """Publish and return the id of the track."""
        self.says(Publish(id=77, mid=SECTION_OF[source], source=source, muted=muted, height=height))
        last = self.last(TrackChanged)
        assert (last.re, last.participant) == (77, self.id)
        return last.track.id

    def consumer(self, mid: str) -> FakeConsumer:
        return self.transport.consumers[Mid(mid)]

    def producer(self, source: Source) -> FakeProducer:
        return self.transport.producers[Mid(SECTION_OF[source])]

    def all(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.heard if isinstance(message, kind)]

    def last(self, kind: type[Message]) -> Message:
        return self.all(kind)[-1]

    def is_refused(self, message: AnyClientMessage, code: ErrorCode) -> Error:
        """Say something that must change nothing but earn this error."""
        before = len(self.heard)
        self.says(message)
        (answer,) = self.heard[before:]
        assert isinstance(answer, Error)
        assert (answer.code, answer.re) == (code, message.id)
        return answer

    @property
    def transport(self) -> FakeTransport:
        assert self._transport is not None, "not admitted"
        return self._transport

    def hear(self, message: ServerMessage) -> None:
        self.heard.append(message)
        if isinstance(message, Joined) and message.answer is not None:
            ufrag = re.search(r"a=ice-ufrag:(\S+)", message.answer)
            assert ufrag is not None
            self._transport = self.stage.router.transports[int(ufrag[1].partition("x")[2])]
        if isinstance(message, SlotsChanged):
            for slot in message.slots:
                self.slots[slot.mid] = slot.track
                self.encodings[slot.mid] = slot.encoding
                self.paused[slot.mid] = slot.paused


class Stage:
    """One room and everybody who ever joined it."""

    def __init__(self, settings: RoomSettings | None = None) -> None:
        self.router = FakeRouter()
        self._ids = count(1)
        self.now = 0.0
        self.wakes = 0
        self.notes: list[Note] = []
        self.people: dict[ParticipantId, Person] = {}
        self.bans = Bans()
        self.recorder = FakeRecorder()
        self.room = Room(
            RoomName("صف-١"),
            self.router,
            new_id=lambda: f"id{next(self._ids)}",
            wake=self._wake,
            settings=settings,
            bans=self.bans,
            recorder=self.recorder,
        )

    def joins(
        self,
        identity: str,
        *,
        publish: Iterable[Source] = ALL_SOURCES,
        subscribe: bool = True,
        role: Role = Role.STUDENT,
        hidden: bool = False,
        slots: Sequence[tuple[str, str]] = SLOTS,
        name: str | None = None,
        expires_at: float = 1000.0,
        offer: str | None = None,
    ) -> Person:
        grants = Grants(
            room=self.room.name,
            identity=Identity(identity),
            expires_at=0.0,
            publish=frozenset(publish),
            subscribe=subscribe,
            role=role,
            hidden=hidden,
            moderate=role in (Role.TEACHER, Role.ASSISTANT),
            record=role is Role.TEACHER,
        )
        return self.enters(join_request(slots=slots, name=name, offer=offer), grants, expires_at=expires_at)

    def enters(self, request: Join, grants: Grants, *, expires_at: float = 1000.0, connected: bool = True) -> Person:
        participant = self.room.join(
            request, grants, wallclock=WALLCLOCK, expires_at=expires_at, now=self.now, connected=connected
        )
        person = self.people[participant] = Person(self, participant, grants)
        self.drain()
        return person

    def drain(self) -> None:
        """Hand out what the room has to say."""
        for output in self.room.take_output():
            if isinstance(output, Tell):
                for participant in output.to:
                    if self.people[participant].connected:
                        self.people[participant].hear(output.message)
            elif isinstance(output, Note):
                self.notes.append(output)
            else:
                assert self.people[output.to].closed is None
                self.people[output.to].closed = output

    def _wake(self, room: Room) -> None:
        self.wakes += 1


def join_request(
    *, slots: Sequence[tuple[str, str]] = SLOTS, name: str | None = None, offer: str | None = None
) -> Join:
    requests = [SlotRequest(mid=mid, kind=SlotKind(kind)) for mid, kind in slots]
    return Join(id=1, offer=offer or sdk_offer(slots=slots), slots=requests, name=name)
