"""What those who moderate decide about the others, and about the room; the server itself may decide the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, assert_never

from signaling.bans import Bans
from signaling.client_messages import (
    EVERYBODY,
    Admit,
    AskUnmute,
    End,
    Lock,
    ModerationMessage,
    MuteParticipant,
    Permit,
    Remove,
    SendBack,
    Spotlight,
)
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.entrance import Entrance, Visitor
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, RoomName
from signaling.members import Members
from signaling.outbox import Outbox
from signaling.participant import Participant
from signaling.policy import check_appoint, check_decide_about, check_moderate
from signaling.publications import Publications
from signaling.server_messages import Asked, Ended, Permissions, RoomChanged


class Floor(Protocol):
    """What only the room itself can do."""

    name: RoomName

    def remove(self, participant: Participant, reason: LeftReason, code: CloseCode, farewell: Ended) -> None: ...
    def let_in(self, visitor: Visitor, *, now: float) -> None: ...
    def turn_away(self, visitor: Visitor, code: CloseCode, farewell: Ended) -> None: ...
    def finish(self, farewell: Ended) -> None: ...


class Moderation:
    """`moderator` is None where the server decides."""

    def __init__(
        self,
        floor: Floor,
        outbox: Outbox,
        members: Members,
        publications: Publications,
        entrance: Entrance,
        bans: Bans,
    ) -> None:
        self.spotlight: tuple[ParticipantId, ...] = ()
        self._floor = floor
        self._outbox = outbox
        self._members = members
        self._publications = publications
        self._entrance = entrance
        self._bans = bans

    def handle(self, moderator: Participant | None, message: ModerationMessage, *, now: float) -> None:
        """Do what is decided; raises RequestError."""
        if moderator is not None:
            check_moderate(moderator.grants)
        match message:
            case Admit():
                self._admit(message, now)
            case SendBack():
                self._send_back(moderator, message)
            case Permit():
                self._permit(moderator, message)
            case MuteParticipant():
                self._mute(moderator, message)
            case AskUnmute():
                self._ask_unmute(moderator, message)
            case Remove():
                self._remove(moderator, message, now)
            case Lock():
                self._entrance.door = message.door
                self._tell_room()
            case Spotlight():
                self.spotlight = tuple(dict.fromkeys(self._members.find(each).id for each in message.participants))
                self._tell_room()
            case End():
                self._floor.finish(Ended(reason="ended", message=message.reason))
            case _:
                assert_never(message)

    def forget(self, participant: ParticipantId) -> None:
        """Take somebody who is gone out of the spotlight; `left` says so."""
        self.spotlight = tuple(each for each in self.spotlight if each != participant)

    def _admit(self, message: Admit, now: float) -> None:
        if message.participant == EVERYBODY:
            visitors = list(self._entrance.visitors.values())
        else:
            visitors = [self._visitor(message.participant)]
        for visitor in visitors:
            self._floor.let_in(visitor, now=now)

    def _send_back(self, moderator: Participant | None, message: SendBack) -> None:
        participant = self._other(moderator, message.participant)
        self._entrance.forget(participant.grants.identity, hold=True)
        self._floor.remove(participant, LeftReason.SENT_BACK, CloseCode.SENT_BACK, Ended(reason="sent_back"))

    def _permit(self, moderator: Participant | None, message: Permit) -> None:
        participant = self._other(moderator, message.participant)
        grants = participant.grants
        if (message.moderate is not None or message.record is not None) and moderator is not None:
            check_appoint(moderator.grants)
        participant.grants = participant.viewer.grants = _change(grants, message)
        seq = self._outbox.next_seq()
        concerned = tuple({*self._members.moderators(), participant.id})
        news = Permissions(seq=seq, participant=participant.id, permissions=participant.permissions())
        self._outbox.announce(news, to=concerned)
        self._publications.end_forbidden(participant)
        self._publications.introduce(participant.viewer)

    def _mute(self, moderator: Participant | None, message: MuteParticipant) -> None:
        if message.participant == EVERYBODY:
            others = [each for each in self._members if not each.grants.moderate]
        else:
            others = [self._other(moderator, message.participant)]
        for other in others:
            self._publications.mute_source(other, message.source)

    def _ask_unmute(self, moderator: Participant | None, message: AskUnmute) -> None:
        participant = self._members.find(message.participant)
        by = None if moderator is None else moderator.id
        asked = Asked(seq=self._outbox.next_seq(), source=message.source, participant=by)
        self._outbox.announce(asked, to=(participant.id,))

    def _remove(self, moderator: Participant | None, message: Remove, now: float) -> None:
        visitor = self._entrance.visitors.get(ParticipantId(message.participant))
        who = visitor or self._other(moderator, message.participant)
        self._entrance.forget(who.grants.identity, hold=False)
        if message.ban:
            self._bans.add(self._floor.name, who.grants.identity, until=who.expires_at, now=now)
        farewell = Ended(reason="banned" if message.ban else "removed", message=message.reason)
        if isinstance(who, Visitor):
            self._floor.turn_away(who, CloseCode.REMOVED, farewell)
        else:
            self._floor.remove(who, LeftReason.REMOVED, CloseCode.REMOVED, farewell)

    def _tell_room(self) -> None:
        seq = self._outbox.next_seq()
        self._outbox.announce(RoomChanged(seq=seq, door=self._entrance.door, spotlight=self.spotlight))

    def _visitor(self, participant: str) -> Visitor:
        visitor = self._entrance.visitors.get(ParticipantId(participant))
        if visitor is None:
            raise RequestError(ErrorCode.UNKNOWN_PARTICIPANT, f"nobody waits as {participant!r}")
        return visitor

    def _other(self, moderator: Participant | None, participant: str) -> Participant:
        """Return whom a decision is about; raises RequestError."""
        if moderator is None:  # the server sees those who are hidden, too
            return self._members.find_any(ParticipantId(participant))
        other = self._members.find(participant)
        check_decide_about(moderator.grants, other.grants)
        return other


def _change(grants: Grants, message: Permit) -> Grants:
    return replace(
        grants,
        publish=grants.publish if message.publish is None else frozenset(message.publish),
        subscribe=grants.subscribe if message.subscribe is None else message.subscribe,
        send=grants.send if message.send is None else message.send,
        moderate=grants.moderate if message.moderate is None else message.moderate,
        record=grants.record if message.record is None else message.record,
    )
