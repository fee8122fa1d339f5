"""One room: who is in it, what they ask for, and what everybody is told. No sockets, no clock, no event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from media.rtp.parameters import Mid
from signaling.bans import Bans
from signaling.client_messages import (
    AnyClientMessage,
    Candidate,
    ConductMessage,
    Join,
    Leave,
    ModerationMessage,
    Mute,
    Offer,
    Ping,
    Publish,
    Recipients,
    Resume,
    SlotRequest,
    Unpublish,
    View,
)
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.conduct import Conduct
from signaling.entrance import Entrance, Visitor
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, RoomName, SlotKind
from signaling.layers import Rendition
from signaling.limits import RoomSettings
from signaling.link import Link, LinkBrokenError, read_offer
from signaling.members import Members
from signaling.moderation import Moderation
from signaling.names import DISPLAY_NAME_CHARACTERS_MAX, check_text
from signaling.outbox import Outbox, Output
from signaling.participant import Participant
from signaling.policy import check_view
from signaling.ports import Router
from signaling.publications import Publications
from signaling.record import Note, NoteKind
from signaling.resume_tokens import ResumeTokens
from signaling.sdp import SdpError, parse_candidate
from signaling.server_messages import (
    Answer,
    Done,
    Ended,
    Error,
    Joined,
    Knock,
    KnockOver,
    Moved,
    ParticipantJoined,
    ParticipantLeft,
    Pong,
    Presence,
    Resumed,
    RoomView,
    SlotsChanged,
    Waiting,
)
from signaling.slot_requests import check_slots
from signaling.viewer import Viewer


class Room:
    """Made for the first participant, done when `empty` or `over`. Drain `take_output` after each `wake`.

    `now` is monotonic seconds.
    """

    def __init__(
        self,
        name: RoomName,
        router: Router,
        *,
        new_id: Callable[[], str],
        wake: Callable[[Room], None],
        settings: RoomSettings | None = None,
        bans: Bans | None = None,
    ) -> None:
        """`new_id` makes ids that nobody can guess; `wake` asks for a call of `take_output` soon, from the outside."""
        self.name = name
        self.over = False
        """Whether it has ended: nothing may be asked of it."""
        self.settings = settings or RoomSettings()
        self._router = router
        self._new_id = new_id
        self._outbox = Outbox(wake=lambda: wake(self))
        self._members = Members(self._outbox)
        self._entrance = Entrance(self.settings.door, waiting_max=self.settings.waiting_max)
        self._bans = bans or Bans()
        self._changed_viewers: set[ParticipantId] = set()
        self._publications = Publications(self._outbox, self._viewers, new_id=new_id)
        self._conduct = Conduct(self._outbox, self._members)
        self._moderation = Moderation(self, self._outbox, self._members, self._publications, self._entrance, self._bans)
        self._resume_tokens = ResumeTokens(new_id=new_id)
        self._ends_at: float | None = None
        self._joined = 0
        self.generation = 0
        """Changes with each who comes to the room."""

    @property
    def empty(self) -> bool:
        """Whether nobody is left, and nobody waits."""
        return not self._members and not self._entrance.visitors

    @property
    def size(self) -> int:
        """How many participants there are."""
        return len(self._members)

    def join(
        self,
        request: Join,
        grants: Grants,
        *,
        wallclock: datetime,
        expires_at: float,
        now: float,
        may_wait: bool = True,
    ) -> ParticipantId:
        """Let somebody in, in the place of an earlier participant of that identity; raises RequestError.

        `wallclock` is what the others are told as the time of joining; `expires_at` is when the token runs out, in
        monotonic seconds. Who has to wait is told so, and is let in later; without `may_wait` that is an error.
        """
        if self._bans.holds(self.name, grants.identity, now=now):
            raise RequestError(ErrorCode.BANNED, "you were put out of this room")
        name = _display_name(request, grants)
        must_wait = self._entrance.must_wait(grants)
        if must_wait and not may_wait:
            raise RequestError(ErrorCode.NOT_ADMITTED, "somebody must admit you to this room")
        self.generation += 1
        participant_id = ParticipantId(self._new_id())
        visitor = Visitor(participant_id, request, grants, name, now, wallclock, expires_at)
        if must_wait:
            self._wait(visitor)
        else:
            self._enter(visitor, wallclock)
        if self._ends_at is None and self.settings.duration_max_s is not None:
            self._ends_at = now + self.settings.duration_max_s
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
                self._negotiate(participant, request.offer, ())
            except LinkBrokenError as error:
                self._media_closed(participant.id, str(error))
                raise RequestError(ErrorCode.CANNOT_RESUME, "media failed: join") from error
        participant.expires_at = max(participant.expires_at, expires_at)
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
        if participant.suspended_until is not None:
            participant.suspended_until = None
            self._outbox.note(Note(NoteKind.RESUMED, participant.who()))
            self._tell_presence(participant)
        participant.viewer.forget_told()
        return participant.id

    def receive(self, sender: ParticipantId, message: AnyClientMessage, *, now: float) -> None:
        """Do what a participant asks, or tell it why not. Messages of those who are gone are dropped."""
        participant = self._members.get(sender)
        try:
            if participant is not None:
                self._handle(participant, message, now)
            elif (visitor := self._entrance.visitors.get(sender)) is not None:
                self._handle_visitor(visitor, message)
        except RequestError as error:
            self._outbox.tell(sender, Error(re=message.id, code=error.code, message=error.message))
        except LinkBrokenError as error:
            self._media_closed(sender, str(error))

    def act(self, message: ModerationMessage, *, now: float) -> None:
        """Decide something in the name of the server; raises RequestError."""
        self._moderation.handle(None, message, now=now)

    def send(self, body: Any, *, to: Literal["all"] | Recipients = "all", topic: str) -> None:
        """Send a message in the name of the server; raises RequestError."""
        self._conduct.send(body, to=to, topic=topic)

    def move(self, participant_id: ParticipantId, *, url: str, token: str | None = None) -> None:
        """Send somebody to another address; raises RequestError."""
        participant = self._members.find_any(participant_id)
        self._outbox.tell(participant.id, Moved(url=url, token=token))
        self._remove(participant, LeftReason.MOVED)
        self._outbox.close(participant.id, CloseCode.MOVED, "go on at the other address")

    def prefer(self, viewer: ParticipantId, rendition: Rendition) -> None:
        """Send this encoding of every video to somebody, whatever the height of its picture."""
        if (participant := self._members.get(viewer)) is not None:
            participant.viewer.prefer(rendition)

    def refuse(self, sender: ParticipantId, error: RequestError, *, re: int | None) -> None:
        """Tell a participant that what it said was not understood, in order with everything else."""
        if self._members.get(sender) is not None or sender in self._entrance.visitors:
            self._outbox.tell(sender, Error(re=re, code=error.code, message=error.message))

    def disconnect(self, sender: ParticipantId, reason: LeftReason) -> None:
        """Take note that a participant is gone for good."""
        if (participant := self._members.get(sender)) is not None:
            self._remove(participant, reason)
        elif (visitor := self._entrance.visitors.get(sender)) is not None:
            self._knock_over(visitor, "gone")

    def suspend(self, sender: ParticipantId, reason: LeftReason, *, now: float) -> None:
        """Take note that the connection of a participant broke; it has a while to come back, its media goes on."""
        participant = self._members.get(sender)
        if participant is None or self.settings.resume_window_s <= 0:
            self.disconnect(sender, reason)
            return
        participant.suspended_until = now + self.settings.resume_window_s
        self._outbox.note(Note(NoteKind.SUSPENDED, participant.who()))
        self._tell_presence(participant)

    def handle_timeout(self, *, now: float) -> None:
        """Remove those whose token has run out or who did not come back; end a room that is too old."""
        for participant in list(self._members):
            if participant.expires_at <= now:
                self._remove(participant, LeftReason.TIMEOUT)
                self._outbox.close(participant.id, CloseCode.TOKEN_EXPIRED, "the token has expired")
            elif participant.suspended_until is not None and participant.suspended_until <= now:
                self._remove(participant, LeftReason.DISCONNECTED)
        for visitor in list(self._entrance.visitors.values()):
            if visitor.expires_at <= now:
                self._knock_over(visitor, "gone")
                self._outbox.close(visitor.id, CloseCode.TOKEN_EXPIRED, "the token has expired")
        if self._ends_at is not None and self._ends_at <= now and not self.over:
            self.finish(Ended(reason="duration"))

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` has something to do, in monotonic seconds; None if never."""
        if self.over:
            return None
        times = [participant.expires_at for participant in self._members]
        times += [each.suspended_until for each in self._members if each.suspended_until is not None]
        times += [visitor.expires_at for visitor in self._entrance.visitors.values()]
        if self._ends_at is not None and not self.empty:
            times.append(self._ends_at)
        return min(times, default=None)

    def end(self, code: CloseCode, reason: str) -> None:
        """Close every connection and free everything; nothing may be asked of the room afterwards."""
        if self.over:
            return
        self.over = True
        for participant in self._members:
            participant.link.close()
            self._outbox.note(Note(NoteKind.LEFT, participant.who(), LeftReason.ENDED))
            self._outbox.close(participant.id, code, reason)
        for visitor in self._entrance.visitors.values():
            self._outbox.close(visitor.id, code, reason)
        if self._joined:
            self._outbox.note(Note(NoteKind.ROOM_ENDED))
        self._members.clear()
        self._entrance.visitors.clear()
        self._changed_viewers.clear()
        self._router.close()

    def finish(self, farewell: Ended) -> None:
        """End the room with a word to everybody."""
        for to in [*(each.id for each in self._members), *self._entrance.visitors]:
            self._outbox.tell(to, farewell)
        self.end(CloseCode.ENDED, "the class is over")

    def take_output(self) -> Sequence[Output]:
        """Return what is to be told and closed, in order; what moved in a client's slots comes last, in one message."""
        changed, self._changed_viewers = self._changed_viewers, set()
        for participant_id in changed:
            participant = self._members.get(participant_id)
            if participant is None or participant.suspended_until is not None:
                continue  # who comes back is told all slots
            if slots := participant.viewer.take_changes():
                self._outbox.tell(participant_id, SlotsChanged(slots=slots))
        return self._outbox.take()

    def remove(self, participant: Participant, reason: LeftReason, code: CloseCode, farewell: Ended) -> None:
        """Put somebody out with a word to them."""
        self._outbox.tell(participant.id, farewell)
        self._remove(participant, reason)
        self._outbox.close(participant.id, code, farewell.message or farewell.reason)

    def let_in(self, visitor: Visitor, *, now: float) -> None:
        """Let somebody in who waits; if that fails, they are told why and are gone."""
        self._knock_over(visitor, "admitted")
        try:
            self._enter(visitor, visitor.wallclock + timedelta(seconds=round(now - visitor.since)))
        except RequestError as error:
            self._outbox.tell(visitor.id, Error(re=visitor.request.id, code=error.code, message=error.message))
            self._outbox.close(visitor.id, CloseCode.BAD_JOIN, error.message)

    def turn_away(self, visitor: Visitor, code: CloseCode, farewell: Ended) -> None:
        """Refuse somebody who waits."""
        self._knock_over(visitor, "refused")
        self._outbox.tell(visitor.id, farewell)
        self._outbox.close(visitor.id, code, farewell.message or farewell.reason)

    def _handle(self, participant: Participant, message: AnyClientMessage, now: float) -> None:
        match message:
            case Join() | Resume():
                raise RequestError(ErrorCode.ALREADY_JOINED, "this connection has joined already")
            case Offer():
                self._negotiate(participant, message.sdp, message.slots)
                self._outbox.tell(participant.id, Answer(re=message.id, sdp=participant.link.answer))
            case Candidate():
                _check_candidate(participant, message)
            case Publish():
                self._check_publishers(participant)
                self._publications.publish(participant, message)
            case Unpublish():
                self._publications.unpublish(participant, message)
            case Mute():
                self._publications.mute(participant, message)
            case View():
                self._view(participant, message)
            case Ping():
                self._outbox.tell(participant.id, Pong(re=message.id, t=message.t))
            case Leave():
                self._remove(participant, LeftReason.LEFT)
                self._outbox.close(participant.id, CloseCode.NORMAL, "goodbye")
            case _:
                self._handle_class(participant, message, now)

    def _handle_class(self, participant: Participant, message: ConductMessage | ModerationMessage, now: float) -> None:
        if isinstance(message, ConductMessage):
            self._conduct.handle(participant, message, now=now)
        else:
            self._moderation.handle(participant, message, now=now)
        if message.id is not None and not self.over:
            self._outbox.tell(participant.id, Done(re=message.id, seq=self._outbox.seq))

    def _handle_visitor(self, visitor: Visitor, message: AnyClientMessage) -> None:
        match message:
            case Ping():
                self._outbox.tell(visitor.id, Pong(re=message.id, t=message.t))
            case Leave():
                self._knock_over(visitor, "gone")
                self._outbox.close(visitor.id, CloseCode.NORMAL, "goodbye")
            case Candidate():
                pass  # of no use, now or later
            case Join() | Resume():
                raise RequestError(ErrorCode.ALREADY_JOINED, "this connection has asked to join already")
            case _:
                raise RequestError(ErrorCode.NOT_ADMITTED, "you are waiting to be admitted")

    def _negotiate(self, participant: Participant, sdp: str, slots: Sequence[SlotRequest]) -> None:
        offer = read_offer(sdp)
        kinds = check_slots(offer, slots, present=participant.viewer.slot_kind)
        removed = participant.link.change(offer)
        for mid in removed:
            participant.viewer.remove_slot(mid)
        for track in [participant.tracks[mid] for mid in removed if mid in participant.tracks]:
            self._publications.end(participant, track)
        _add_slots(participant, kinds)
        self._publications.introduce(participant.viewer)

    def _view(self, participant: Participant, message: View) -> None:
        check_view(participant.grants)
        self._publications.choose(participant.viewer, message)
        if message.id is not None:
            self._outbox.tell(participant.id, SlotsChanged(re=message.id, slots=participant.viewer.take_changes()))

    def _check_publishers(self, participant: Participant) -> None:
        most = self.settings.publishers_max
        if not participant.tracks and sum(bool(each.tracks) for each in self._members) >= most:
            raise RequestError(ErrorCode.ROOM_FULL, f"{most} participants publish already")

    def _wait(self, visitor: Visitor) -> None:
        check_slots(read_offer(visitor.request.offer), visitor.request.slots, present=lambda _mid: None)
        self._replace_visitor(visitor)
        self._entrance.wait(visitor)
        self._outbox.tell(visitor.id, Waiting(participant=visitor.id))
        knock = Knock(seq=self._outbox.next_seq(), participant=visitor.view())
        self._outbox.announce(knock, to=self._members.moderators())

    def _replace_visitor(self, visitor: Visitor) -> None:
        if (earlier := self._entrance.waiting_as(visitor.grants.identity)) is not None:
            self._knock_over(earlier, "gone")
            self._outbox.close(earlier.id, CloseCode.REPLACED, "the same identity joined again")

    def _knock_over(self, visitor: Visitor, outcome: Literal["admitted", "refused", "gone"]) -> None:
        del self._entrance.visitors[visitor.id]
        news = KnockOver(seq=self._outbox.next_seq(), participant=visitor.id, outcome=outcome)
        self._outbox.announce(news, to=self._members.moderators())
        self._outbox.wake()

    def _enter(self, visitor: Visitor, wallclock: datetime) -> None:
        grants = visitor.grants
        earlier = self._members.with_identity(grants.identity)
        if earlier is None and len(self._members) >= self.settings.participants_max:
            raise RequestError(ErrorCode.ROOM_FULL, f"{self.settings.participants_max} participants are in already")
        participant = self._make_participant(visitor, wallclock)
        self._replace_visitor(visitor)
        if earlier is not None:
            self._remove(earlier, LeftReason.REPLACED)
            self._outbox.close(earlier.id, CloseCode.REPLACED, "the same identity joined again")
        if self._joined == 1:
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
                answer=participant.link.answer,
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
            name=self.name,
            seq=self._outbox.seq,
            participants=tuple(each.view() for each in seen),
            door=self._entrance.door,
            spotlight=self._moderation.spotlight,
            hands=tuple(self._conduct.hands),
            state=self._conduct.state.view(),
            waiting=tuple(visitor.view() for visitor in visitors),
        )

    def _make_participant(self, visitor: Visitor, wallclock: datetime) -> Participant:
        offer = read_offer(visitor.request.offer)
        kinds = check_slots(offer, visitor.request.slots, present=lambda _mid: None)
        link = Link(self._router, offer, _LinkListener(partial(self._media_closed, visitor.id)))
        self._joined += 1
        participant = Participant(
            id=visitor.id,
            order=self._joined,
            grants=visitor.grants,
            name=visitor.name,
            joined_at=wallclock,
            expires_at=visitor.expires_at,
            link=link,
            viewer=Viewer(visitor.id, grants=visitor.grants, changed=partial(self._viewer_changed, visitor.id)),
        )
        _add_slots(participant, kinds)
        return participant

    def _remove(self, participant: Participant, reason: LeftReason) -> None:
        self._members.remove(participant)
        self._resume_tokens.forget(participant.id)
        self._conduct.forget(participant.id)
        self._moderation.forget(participant.id)
        self._outbox.note(Note(NoteKind.LEFT, participant.who(), reason))
        self._publications.withdraw(participant)
        participant.link.close()
        if not participant.grants.hidden:
            self._outbox.announce(
                ParticipantLeft(seq=self._outbox.next_seq(), participant=participant.id, reason=reason)
            )
        self._outbox.wake()  # also for the last, who leaves nobody to be told: the room is to be dropped

    def _tell_presence(self, participant: Participant) -> None:
        if not participant.grants.hidden:
            suspended = participant.suspended_until is not None
            news = Presence(seq=self._outbox.next_seq(), participant=participant.id, suspended=suspended)
            self._outbox.announce(news)

    def _media_closed(self, participant_id: ParticipantId, reason: str) -> None:
        if (participant := self._members.get(participant_id)) is not None:
            self._remove(participant, LeftReason.TIMEOUT)
            self._outbox.close(participant_id, CloseCode.MEDIA_FAILED, reason)

    def _viewer_changed(self, participant_id: ParticipantId) -> None:
        self._changed_viewers.add(participant_id)
        self._outbox.wake()

    def _viewers(self) -> list[Viewer]:
        return [participant.viewer for participant in self._members]


class _LinkListener:
    """Passes on what becomes of a participant's transport."""

    def __init__(self, closed: Callable[[str], None]) -> None:
        self._closed = closed

    def on_connected(self) -> None:
        """Nothing waits for it: slots are filled before the first packet can flow."""

    def on_closed(self, reason: str) -> None:
        self._closed(reason)


def _display_name(request: Join, grants: Grants) -> str:
    if grants.name is not None:
        return grants.name
    if request.name is None:
        return grants.identity
    try:
        return check_text(request.name, what="name", characters_max=DISPLAY_NAME_CHARACTERS_MAX)
    except ValueError as error:
        raise RequestError(ErrorCode.BAD_MESSAGE, str(error)) from error


def _add_slots(participant: Participant, kinds: Mapping[Mid, SlotKind]) -> None:
    for mid, consumer in participant.link.consumers.items():
        if participant.viewer.slot_kind(mid) is None:
            participant.viewer.add_slot(mid, kinds[mid], consumer)


def _check_candidate(participant: Participant, message: Candidate) -> None:
    if Mid(message.mid) not in participant.link.mids:
        raise RequestError(ErrorCode.UNKNOWN_SECTION, f"section {message.mid!r} is not in your offer")
    if message.candidate:  # "" is the end of candidates
        try:
            parse_candidate(message.candidate)
        except SdpError as error:
            raise RequestError(ErrorCode.BAD_MESSAGE, str(error)) from error
