"""What people ask of a room, each request taken to the part of the room that does it."""

from __future__ import annotations

from typing import Protocol

from signaling.allocation import Allocations
from signaling.arrivals import Arrivals, Parts
from signaling.client_messages import (
    AnyClientMessage,
    Candidate,
    ConductMessage,
    Join,
    Leave,
    Limit,
    ModerationMessage,
    Mute,
    Offer,
    Ping,
    Publish,
    Record,
    Resume,
    Unpublish,
    View,
)
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.entrance import Visitor
from signaling.errors import RequestError
from signaling.levels import Level
from signaling.limits import RoomSettings
from signaling.participant import Participant
from signaling.policy import check_record, check_view
from signaling.renegotiation import check_candidate, renegotiate
from signaling.server_messages import Answer, Done, Pong, SlotsChanged


class House(Protocol):
    """What only the room itself can do."""

    over: bool
    settings: RoomSettings

    def depart(self, participant: Participant, reason: LeftReason) -> None: ...


class Requests:
    """Both raise RequestError for what is refused; LinkBrokenError if the media of who asks is gone by it."""

    def __init__(self, house: House, parts: Parts, arrivals: Arrivals, allocations: Allocations) -> None:
        self._house = house
        self._outbox = parts.outbox
        self._members = parts.members
        self._publications = parts.publications
        self._conduct = parts.conduct
        self._moderation = parts.moderation
        self._recordings = parts.recordings
        self._arrivals = arrivals
        self._allocations = allocations

    def handle(self, participant: Participant, message: AnyClientMessage, *, now: float) -> None:
        """Do what a participant asks."""
        match message:
            case Join() | Resume():
                raise RequestError(ErrorCode.ALREADY_JOINED, "this connection has joined already")
            case Offer():
                renegotiate(participant, message.sdp, message.slots, self._publications)
                self._outbox.tell(participant.id, Answer(re=message.id, sdp=participant.link.answer))
            case Candidate():
                check_candidate(participant, message)
            case Publish():
                self._check_publishers(participant)
                self._publications.publish(participant, message)
            case Unpublish():
                self._publications.unpublish(participant, message)
            case Mute():
                self._publications.mute(participant, message)
            case View():
                self._view(participant, message)
            case Limit():
                self._limit(participant, message)
            case Ping():
                self._outbox.tell(participant.id, Pong(re=message.id, t=message.t))
            case Leave():
                self._house.depart(participant, LeftReason.LEFT)
                self._outbox.close(participant.id, CloseCode.NORMAL, "goodbye")
            case _:
                self._handle_class(participant, message, now)

    def handle_visitor(self, visitor: Visitor, message: AnyClientMessage) -> None:
        """Do what somebody asks who waits."""
        match message:
            case Ping():
                self._outbox.tell(visitor.id, Pong(re=message.id, t=message.t))
            case Leave():
                self._arrivals.knock_over(visitor, "gone")
                self._outbox.close(visitor.id, CloseCode.NORMAL, "goodbye")
            case Candidate():
                pass  # of no use, now or later
            case Join() | Resume():
                raise RequestError(ErrorCode.ALREADY_JOINED, "this connection has asked to join already")
            case _:
                raise RequestError(ErrorCode.NOT_ADMITTED, "you are waiting to be admitted")

    def _handle_class(
        self, participant: Participant, message: ConductMessage | ModerationMessage | Record, now: float
    ) -> None:
        if isinstance(message, ConductMessage):
            self._conduct.handle(participant, message, now=now)
        elif isinstance(message, Record):
            check_record(participant.grants)
            self._recordings.act(message.action, participant.who())
        else:
            self._moderation.handle(participant, message, now=now)
        if message.id is not None and not self._house.over:
            self._outbox.tell(participant.id, Done(re=message.id, seq=self._outbox.seq))

    def _view(self, participant: Participant, message: View) -> None:
        check_view(participant.grants)
        self._publications.choose(participant.viewer, message)
        self._tell_slots(participant, message.id)

    def _limit(self, participant: Participant, message: Limit) -> None:
        check_view(participant.grants)
        self._allocations.limit(participant, None if message.level is None else Level(message.level))
        self._tell_slots(participant, message.id)

    def _tell_slots(self, participant: Participant, re: int | None) -> None:
        """Answer with what slots show now that something else is wanted in them."""
        self._allocations.allot(participant)
        if re is not None:
            self._outbox.tell(participant.id, SlotsChanged(re=re, slots=participant.viewer.take_changes()))

    def _check_publishers(self, participant: Participant) -> None:
        most = self._house.settings.publishers_max
        if not participant.tracks and sum(bool(each.tracks) for each in self._members) >= most:
            raise RequestError(ErrorCode.ROOM_FULL, f"{most} participants publish already")
