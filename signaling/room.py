"""One room: who is in it, what they ask for, and what everybody is told. No sockets, no clock, no event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import assert_never

from media.rtp.parameters import Mid
from signaling.client_messages import (
    AnyClientMessage,
    Candidate,
    Join,
    Leave,
    Mute,
    Offer,
    Ping,
    Publish,
    Unpublish,
    View,
)
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import Identity, ParticipantId, RoomName, SlotKind
from signaling.layers import Rendition
from signaling.link import Link, LinkBrokenError, read_offer
from signaling.names import DISPLAY_NAME_CHARACTERS_MAX, check_text
from signaling.outbox import Outbox, Output
from signaling.participant import Participant
from signaling.policy import check_view, may_receive
from signaling.ports import Router
from signaling.publications import Publications
from signaling.sdp import SdpError, parse_candidate
from signaling.server_messages import (
    Answer,
    Error,
    Joined,
    ParticipantJoined,
    ParticipantLeft,
    Pong,
    RoomView,
    SlotsChanged,
)
from signaling.slot_requests import check_slots
from signaling.viewer import Viewer


class Room:
    """Made for the first participant, done when `empty`. Drain `take_output` after each `wake`."""

    def __init__(
        self, name: RoomName, router: Router, *, new_id: Callable[[], str], wake: Callable[[Room], None]
    ) -> None:
        """`new_id` makes ids that nobody can guess; `wake` asks for a call of `take_output` soon, from the outside."""
        self.name = name
        self._router = router
        self._new_id = new_id
        self._outbox = Outbox(wake=lambda: wake(self))
        self._members: dict[ParticipantId, Participant] = {}
        self._by_identity: dict[Identity, Participant] = {}
        self._changed_viewers: set[ParticipantId] = set()
        self._publications = Publications(self._outbox, self._viewers, new_id=new_id)
        self._joined = 0

    @property
    def empty(self) -> bool:
        """Whether nobody is left."""
        return not self._members

    @property
    def size(self) -> int:
        """How many participants there are."""
        return len(self._members)

    def join(self, request: Join, grants: Grants, *, wallclock: datetime, expires_at: float) -> ParticipantId:
        """Let somebody in, in the place of an earlier participant of that identity; raises RequestError.

        `wallclock` is what the others are told as the time of joining; `expires_at` is when the token runs out, in
        monotonic seconds.
        """
        name = _display_name(request, grants)
        participant = self._make_participant(request, grants, name, wallclock, expires_at)
        if (earlier := self._by_identity.get(grants.identity)) is not None:
            self._remove(earlier, LeftReason.REPLACED)
            self._outbox.close(earlier.id, CloseCode.REPLACED, "the same identity joined again")
        self._members[participant.id] = self._by_identity[grants.identity] = participant
        self._outbox.set_members(tuple(self._members))
        if not grants.hidden:
            joined = ParticipantJoined(seq=self._outbox.next_seq(), participant=participant.view())
            self._outbox.tell_everyone(joined, but=participant.id)
        seq = self._outbox.seq
        seen = (each for each in self._members.values() if each is participant or not each.grants.hidden)
        snapshot = RoomView(name=self.name, seq=seq, participants=tuple(each.view() for each in seen))
        self._outbox.tell(
            participant.id,
            Joined(re=request.id, answer=participant.link.answer, room=snapshot, participant=participant.id, seq=seq),
        )
        self._publications.introduce(participant.viewer)
        return participant.id

    def receive(self, sender: ParticipantId, message: AnyClientMessage) -> None:
        """Do what a participant asks, or tell it why not. Messages of those who are gone are dropped."""
        participant = self._members.get(sender)
        if participant is None:
            return
        try:
            self._handle(participant, message)
        except RequestError as error:
            self._outbox.tell(sender, Error(re=message.id, code=error.code, message=error.message))
        except LinkBrokenError as error:
            self._media_closed(sender, str(error))

    def prefer(self, viewer: ParticipantId, rendition: Rendition) -> None:
        """Send this encoding of every video to somebody, whatever the height of its picture."""
        if (participant := self._members.get(viewer)) is not None:
            participant.viewer.prefer(rendition)

    def refuse(self, sender: ParticipantId, error: RequestError, *, re: int | None) -> None:
        """Tell a participant that what it said was not understood, in order with everything else."""
        if sender in self._members:
            self._outbox.tell(sender, Error(re=re, code=error.code, message=error.message))

    def disconnect(self, sender: ParticipantId, reason: LeftReason) -> None:
        """Take note that the connection of a participant is gone."""
        if (participant := self._members.get(sender)) is not None:
            self._remove(participant, reason)

    def handle_timeout(self, *, now: float) -> None:
        """Remove those whose token has run out."""
        for participant in [each for each in self._members.values() if each.expires_at <= now]:
            self._remove(participant, LeftReason.TIMEOUT)
            self._outbox.close(participant.id, CloseCode.TOKEN_EXPIRED, "the token has expired")

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` has something to do, in monotonic seconds; None if never."""
        return min((participant.expires_at for participant in self._members.values()), default=None)

    def end(self, code: CloseCode, reason: str) -> None:
        """Close every connection and free everything; nothing may be asked of the room afterwards."""
        for participant in self._members.values():
            participant.link.close()
            self._outbox.close(participant.id, code, reason)
        self._members.clear()
        self._by_identity.clear()
        self._changed_viewers.clear()
        self._router.close()

    def take_output(self) -> Sequence[Output]:
        """Return what is to be told and closed, in order; what moved in a client's slots comes last, in one message."""
        changed, self._changed_viewers = self._changed_viewers, set()
        for participant_id in changed:
            participant = self._members.get(participant_id)
            if participant is not None and (slots := participant.viewer.take_changes()):
                self._outbox.tell(participant_id, SlotsChanged(slots=slots))
        return self._outbox.take()

    def _handle(self, participant: Participant, message: AnyClientMessage) -> None:
        match message:
            case Join():
                raise RequestError(ErrorCode.ALREADY_JOINED, "this connection has joined already")
            case Offer():
                self._offer(participant, message)
            case Candidate():
                _check_candidate(participant, message)
            case Publish():
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
                assert_never(message)

    def _offer(self, participant: Participant, message: Offer) -> None:
        offer = read_offer(message.sdp)
        kinds = check_slots(offer, message.slots, present=participant.viewer.slot_kind)
        removed = participant.link.change(offer)
        for mid in removed:
            participant.viewer.remove_slot(mid)
        for track in [participant.tracks[mid] for mid in removed if mid in participant.tracks]:
            self._publications.end(participant, track)
        _add_slots(participant, kinds)
        self._outbox.tell(participant.id, Answer(re=message.id, sdp=participant.link.answer))
        self._publications.introduce(participant.viewer)

    def _view(self, participant: Participant, message: View) -> None:
        check_view(participant.grants)
        self._publications.choose(participant.viewer, message)
        if message.id is not None:
            self._outbox.tell(participant.id, SlotsChanged(re=message.id, slots=participant.viewer.take_changes()))

    def _make_participant(
        self, request: Join, grants: Grants, name: str, wallclock: datetime, expires_at: float
    ) -> Participant:
        offer = read_offer(request.offer)
        kinds = check_slots(offer, request.slots, present=lambda _mid: None)
        participant_id = ParticipantId(self._new_id())
        link = Link(self._router, offer, _LinkListener(partial(self._media_closed, participant_id)))
        self._joined += 1
        participant = Participant(
            id=participant_id,
            order=self._joined,
            grants=grants,
            name=name,
            joined_at=wallclock,
            expires_at=expires_at,
            link=link,
            viewer=Viewer(
                participant_id,
                receives=may_receive(grants),
                changed=partial(self._viewer_changed, participant_id),
            ),
        )
        _add_slots(participant, kinds)
        return participant

    def _remove(self, participant: Participant, reason: LeftReason) -> None:
        del self._members[participant.id], self._by_identity[participant.grants.identity]
        self._outbox.set_members(tuple(self._members))
        self._publications.withdraw(participant)
        participant.link.close()
        if not participant.grants.hidden:
            self._outbox.tell_everyone(
                ParticipantLeft(seq=self._outbox.next_seq(), participant=participant.id, reason=reason)
            )
        self._outbox.wake()  # also for the last, who leaves nobody to be told: the room is to be dropped

    def _media_closed(self, participant_id: ParticipantId, reason: str) -> None:
        if (participant := self._members.get(participant_id)) is not None:
            self._remove(participant, LeftReason.TIMEOUT)
            self._outbox.close(participant_id, CloseCode.MEDIA_FAILED, reason)

    def _viewer_changed(self, participant_id: ParticipantId) -> None:
        self._changed_viewers.add(participant_id)
        self._outbox.wake()

    def _viewers(self) -> list[Viewer]:
        return [participant.viewer for participant in self._members.values()]


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
