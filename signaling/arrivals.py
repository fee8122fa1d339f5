"""How people come into a room: at once, after waiting, or back after their connection broke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol

from media.rtp.parameters import Mid
from signaling.absence import Absences
from signaling.bans import Bans
from signaling.client_messages import Join, Resume
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.conduct import Conduct
from signaling.entrance import Entrance, Visitor
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, RoomName, SlotKind
from signaling.limits import RoomSettings
from signaling.link import Link, LinkBrokenError, read_offer
from signaling.members import Members
from signaling.moderation import Moderation
from signaling.names import DISPLAY_NAME_CHARACTERS_MAX, check_text
from signaling.outbox import Outbox
from signaling.participant import Participant
from signaling.ports import Router
from signaling.publications import Publications
from signaling.record import Note, NoteKind
from signaling.recordings import Recordings
from signaling.renegotiation import add_slots, renegotiate
from signaling.resume_tokens import ResumeTokens
from signaling.sdp import NegotiatedOffer
from signaling.server_messages import (
    Ended,
    Error,
    Joined,
    Knock,
    KnockOver,
    ParticipantJoined,
    Presence,
    Resumed,
    RoomView,
    Waiting,
)
from signaling.slot_requests import check_slots
from signaling.viewer import Viewer
from signaling.watch import Watch


class Place(Protocol):
    """Where people arrive."""

    name: RoomName
    settings: RoomSettings

    def depart(self, participant: Participant, reason: LeftReason) -> None: ...
    def media_closed(self, participant: ParticipantId, reason: str) -> None: ...
    def media_connected(self, participant: ParticipantId) -> None: ...
    def media_silent(self, participant: ParticipantId, *, now: float) -> None: ...
    def media_alive(self, participant: ParticipantId) -> None: ...
    def viewer_changed(self, participant: ParticipantId) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a room that arrivals touch."""

    outbox: Outbox
    members: Members
    entrance: Entrance
    bans: Bans
    publications: Publications
    conduct: Conduct
    moderation: Moderation
    resume_tokens: ResumeTokens
    absences: Absences
    watch: Watch
    recordings: Recordings


class Arrivals:
    """Makes participants of requests."""

    def __init__(self, place: Place, parts: Parts, router: Router, *, new_id: Callable[[], str]) -> None:
        self._place = place
        self._outbox = parts.outbox
        self._members = parts.members
        self._entrance = parts.entrance
        self._bans = parts.bans
        self._publications = parts.publications
        self._conduct = parts.conduct
        self._moderation = parts.moderation
        self._resume_tokens = parts.resume_tokens
        self._absences = parts.absences
        self._watch = parts.watch
        self._recordings = parts.recordings
        self._router = router
        self._new_id = new_id
        self.joined = 0
        """How many ever came in."""

    def join(
        self,
        request: Join,
        grants: Grants,
        *,
        wallclock: datetime,
        expires_at: float,
        now: float,
        connected: bool = True,
    ) -> ParticipantId:
        """Let somebody in, in the place of an earlier participant of that identity; raises RequestError.

        `wallclock` is what the others are told as the time of joining; `expires_at` is when the token runs out, in
        monotonic seconds. Who has to wait is told so, and is let in later.
        Without `connected` that is an error: no connection leads to them, and the media path alone shows life.
        """
        if self._bans.holds(self._place.name, grants.identity, now=now):
            raise RequestError(ErrorCode.BANNED, "you were put out of this room")
        name = _display_name(request, grants)
        must_wait = self._entrance.must_wait(grants)
        if must_wait and not connected:
            raise RequestError(ErrorCode.NOT_ADMITTED, "somebody must admit you to this room")
        participant_id = ParticipantId(self._new_id())
        visitor = Visitor(participant_id, request, grants, name, now, wallclock, expires_at)
        if must_wait:
            self._wait(visitor)
        else:
            self._enter(visitor, wallclock, connected=connected)
        return participant_id

    def check_resume(self, request: Resume, grants: Grants) -> ParticipantId:
        """Return who comes back with this token, or raise RequestError."""
        participant_id = self._resume_tokens.check(request.token)
        participant = None if participant_id is None else self._members.get(participant_id)
        if participant is None or participant.grants.identity != grants.identity:
            raise RequestError(ErrorCode.CANNOT_RESUME, "there is nothing to resume with this token: join")
        return participant.id

    def resume(self, request: Resume, grants: Grants, *, expires_at: float) -> ParticipantId:
        """Let somebody come back whose connection broke, or is about to be found broken; raises RequestError.

        A later `expires_at` holds; what may be done stays as it was.
        """
        participant = self._members.find_any(self.check_resume(request, grants))
        if request.offer is not None:
            try:
                renegotiate(participant, request.offer, (), self._publications)
            except LinkBrokenError as error:
                self._place.media_closed(participant.id, str(error))
                raise RequestError(ErrorCode.CANNOT_RESUME, "media failed: join") from error
        self._members.prolong(participant, expires_at)
        if self._absences.come_back(participant):
            self._outbox.note(Note(NoteKind.RESUMED, participant.who()))
            self.tell_presence(participant, but=participant.id)
        missed = self._outbox.log.since(request.seq, participant.id)
        self._outbox.tell(
            participant.id,
            Resumed(
                re=request.id,
                participant=participant.id,
                seq=self._outbox.seq if missed is None else request.seq,
                resume=self._resume_tokens.issue(participant.id),
                answer=None if request.offer is None else participant.link.answer,
                room=self._snapshot(participant) if missed is None else None,
                permissions=participant.permissions(),
            ),
        )
        for message in missed or ():
            self._outbox.tell(participant.id, message)
        self._absences.remind(participant)
        self._publications.remind(participant)
        self._watch.tell_again(participant.id)
        participant.viewer.forget_told()
        return participant.id

    def let_in(self, visitor: Visitor, *, now: float) -> None:
        """Let somebody in who waits; if that fails, they are told why and are gone."""
        self.knock_over(visitor, "admitted")
        try:
            self._enter(visitor, visitor.wallclock + timedelta(seconds=round(now - visitor.since)))
        except RequestError as error:
            self._outbox.tell(visitor.id, Error(re=visitor.request.id, code=error.code, message=error.message))
            self._outbox.close(visitor.id, CloseCode.BAD_JOIN, error.message)

    def turn_away(self, visitor: Visitor, code: CloseCode, farewell: Ended) -> None:
        """Refuse somebody who waits."""
        self.knock_over(visitor, "refused")
        self._outbox.tell(visitor.id, farewell)
        self._outbox.close(visitor.id, code, farewell.message or farewell.reason)

    def knock_over(self, visitor: Visitor, outcome: Literal["admitted", "refused", "gone"]) -> None:
        """Somebody does not wait any more."""
        del self._entrance.visitors[visitor.id]
        news = KnockOver(seq=self._outbox.next_seq(), participant=visitor.id, outcome=outcome)
        self._outbox.announce(news, to=self._members.moderators())
        self._outbox.wake()

    def tell_presence(self, participant: Participant, *, but: ParticipantId | None = None) -> None:
        """Tell everybody whether somebody is connected; `but` is told in other words."""
        if not participant.grants.hidden:
            suspended = participant.suspended_until is not None
            news = Presence(seq=self._outbox.next_seq(), participant=participant.id, suspended=suspended)
            self._outbox.announce(news, but=but)

    def _wait(self, visitor: Visitor) -> None:
        _read(visitor.request)
        self._replace_visitor(visitor)
        self._entrance.wait(visitor)
        self._outbox.tell(visitor.id, Waiting(re=visitor.request.id, participant=visitor.id))
        knock = Knock(seq=self._outbox.next_seq(), participant=visitor.view())
        self._outbox.announce(knock, to=self._members.moderators())

    def _replace_visitor(self, visitor: Visitor) -> None:
        if (earlier := self._entrance.waiting_as(visitor.grants.identity)) is not None:
            self.knock_over(earlier, "gone")
            self._outbox.close(earlier.id, CloseCode.REPLACED, "the same identity joined again")

    def _enter(self, visitor: Visitor, wallclock: datetime, *, connected: bool = True) -> None:
        grants = visitor.grants
        earlier = self._members.with_identity(grants.identity)
        if earlier is None and len(self._members) >= self._place.settings.participants_max:
            raise RequestError(
                ErrorCode.ROOM_FULL, f"{self._place.settings.participants_max} participants are in already"
            )
        participant = self._make_participant(visitor, wallclock)
        participant.connected = connected
        self._replace_visitor(visitor)
        if earlier is not None:
            self._place.depart(earlier, LeftReason.REPLACED)
            self._outbox.close(earlier.id, CloseCode.REPLACED, "the same identity joined again")
        if self.joined == 1:
            self._outbox.note(Note(NoteKind.ROOM_STARTED))
        self._members.add(participant)
        self._entrance.remember(grants.identity)
        self._outbox.note(Note(NoteKind.JOINED, participant.who()))
        if not grants.hidden:
            joined = ParticipantJoined(seq=self._outbox.next_seq(), participant=participant.view())
            self._outbox.announce(joined, but=participant.id)
        self._outbox.tell(
            participant.id,
            Joined(
                re=visitor.request.id,
                answer=participant.link.answer or None,
                room=self._snapshot(participant),
                participant=participant.id,
                seq=self._outbox.seq,
                resume=self._resume_tokens.issue(participant.id),
                permissions=participant.permissions(),
            ),
        )
        self._publications.introduce(participant.viewer)

    def _snapshot(self, viewer: Participant) -> RoomView:
        seen = (each for each in self._members if each is viewer or not each.grants.hidden)
        visitors = self._entrance.visitors.values() if viewer.grants.moderate else ()
        return RoomView(
            name=self._place.name,
            seq=self._outbox.seq,
            participants=tuple(each.view() for each in seen),
            door=self._entrance.door,
            spotlight=self._moderation.spotlight,
            hands=tuple(self._conduct.hands),
            state=self._conduct.state.view(),
            waiting=tuple(visitor.view() for visitor in visitors),
            recording=self._recordings.state,
        )

    def _make_participant(self, visitor: Visitor, wallclock: datetime) -> Participant:
        offer, kinds = _read(visitor.request)
        link = Link(self._router, offer, _LinkListener(self._place, visitor.id))
        self.joined += 1
        participant = Participant(
            id=visitor.id,
            order=self.joined,
            grants=visitor.grants,
            name=visitor.name,
            joined_at=wallclock,
            expires_at=visitor.expires_at,
            link=link,
            viewer=Viewer(visitor.id, grants=visitor.grants, changed=partial(self._place.viewer_changed, visitor.id)),
        )
        add_slots(participant, kinds)
        participant.viewer.await_allotment(link.tells_arrivals)  # before anything is shown
        return participant


class _LinkListener:
    """Passes on what becomes of a participant's transport."""

    def __init__(self, place: Place, participant: ParticipantId) -> None:
        self._place = place
        self.participant = participant
        """Whose transport it is, for those who watch the engine."""

    def on_connected(self) -> None:
        self._place.media_connected(self.participant)

    def on_silent(self, *, now: float) -> None:
        self._place.media_silent(self.participant, now=now)

    def on_alive(self) -> None:
        self._place.media_alive(self.participant)

    def on_closed(self, reason: str) -> None:
        self._place.media_closed(self.participant, reason)


def _read(request: Join) -> tuple[NegotiatedOffer | None, dict[Mid, SlotKind]]:
    """Return what becomes of the offer of a join, and what its slots are for; raises RequestError."""
    if request.offer is not None:
        offer = read_offer(request.offer)
        return offer, check_slots(offer, request.slots, present=lambda _mid: None)
    if request.slots:
        raise RequestError(ErrorCode.UNKNOWN_SLOT, f"slot {request.slots[0].mid!r} is in no offer: there is none")
    return None, {}


def _display_name(request: Join, grants: Grants) -> str:
    if grants.name is not None:
        return grants.name
    if request.name is None:
        return grants.identity
    try:
        return check_text(request.name, what="name", characters_max=DISPLAY_NAME_CHARACTERS_MAX)
    except ValueError as error:
        raise RequestError(ErrorCode.BAD_MESSAGE, str(error)) from error
