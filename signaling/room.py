"""One room: who is in it, what they ask for, and what everybody is told. No sockets, no clock, no event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, assert_never

from signaling.absence import Absences, Verdict
from signaling.allocation import Allocations
from signaling.arrivals import Arrivals, Parts
from signaling.bans import Bans
from signaling.client_messages import (
    AnyClientMessage,
    Join,
    ModerationMessage,
    Recipients,
    Resume,
)
from signaling.codes import CloseCode, LeftReason
from signaling.conduct import Conduct
from signaling.entrance import Entrance, Visitor
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, RoomName, TrackId
from signaling.layers import Rendition
from signaling.levels import Level
from signaling.limits import RoomSettings
from signaling.link import LinkBrokenError
from signaling.members import Members
from signaling.moderation import Moderation
from signaling.outbox import Outbox, Output
from signaling.participant import Participant
from signaling.ports import Recorder, Router
from signaling.publications import Publications
from signaling.record import Note, NoteKind
from signaling.recordings import Action, Recordings
from signaling.requests import Requests
from signaling.resume_tokens import ResumeTokens
from signaling.server_messages import (
    Ended,
    Error,
    Moved,
    ParticipantLeft,
    ServerMessage,
    SlotsChanged,
)
from signaling.speakers import SpeakerWatch
from signaling.survey import Survey
from signaling.viewer import Viewer
from signaling.watch import Watch


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
        recorder: Recorder | None = None,
    ) -> None:
        """`new_id` makes ids that nobody can guess; `wake` asks for a call of `take_output` soon, from the outside."""
        self.name = name
        self.over = False
        """Whether it has ended: nothing may be asked of it."""
        self.settings = settings or RoomSettings()
        self._router = router
        self._outbox = Outbox(wake=lambda: wake(self))
        self._members = Members(self._outbox)
        self._changed_viewers: set[ParticipantId] = set()
        self._publications = Publications(
            self._outbox, self._viewers, new_id=new_id, bitrates=lambda: self.settings.bitrates
        )
        self._entrance = Entrance(self.settings.door, waiting_max=self.settings.waiting_max)
        self._conduct = Conduct(self._outbox, self._members)
        self._resume_tokens = ResumeTokens(new_id=new_id)
        self._absences = Absences(self._outbox, lambda: self.settings)
        self._watch = Watch(self._outbox, self._members, self._publications)
        self._recordings = Recordings(self._outbox, recorder, name, new_id=new_id)
        bans = bans or Bans()
        self._moderation = Moderation(self, self._outbox, self._members, self._publications, self._entrance, bans)
        parts = Parts(
            outbox=self._outbox,
            members=self._members,
            entrance=self._entrance,
            bans=bans,
            publications=self._publications,
            conduct=self._conduct,
            moderation=self._moderation,
            resume_tokens=self._resume_tokens,
            absences=self._absences,
            watch=self._watch,
            recordings=self._recordings,
        )
        self._arrivals = Arrivals(self, parts, router, new_id=new_id)
        self.speakers = SpeakerWatch(
            self._outbox, self._members, self._publications, lambda: self._moderation.spotlight
        )
        self.allocations = Allocations(
            self._outbox,
            self._members,
            self._publications,
            spotlight=lambda: self._moderation.spotlight,
            speaking=lambda: self.speakers.speaking,
            limit_quality=self._watch.limit_quality,
        )
        self._requests = Requests(self, parts, self._arrivals, self.allocations)
        router.on_levels = self.speakers.hear
        router.on_estimates = self.allocations.hear
        self._began_at: float | None = None
        self._ends_at: float | None = None

    @property
    def empty(self) -> bool:
        """Whether nobody is left, and nobody waits."""
        return not self._members and not self._entrance.visitors

    @property
    def begun(self) -> bool:
        """Whether anybody ever came in."""
        return self._arrivals.joined > 0

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
        connected: bool = True,
    ) -> ParticipantId:
        """Let somebody in, in the place of an earlier participant of that identity; raises RequestError.

        `wallclock` is what the others are told as the time of joining; `expires_at` is when the token runs out, in
        monotonic seconds. Who has to wait is told so, and is let in later.
        Without `connected` that is an error: no connection leads to them, and the media path alone shows life.
        """
        self.allocations.pass_time(now=now)
        participant_id = self._arrivals.join(
            request, grants, wallclock=wallclock, expires_at=expires_at, now=now, connected=connected
        )
        if self._began_at is None:
            self._began_at = now
            self._set_end()
        self._watch.begin(now=now)
        return participant_id

    def check_resume(self, request: Resume, grants: Grants) -> ParticipantId:
        """Return who comes back with this token, or raise RequestError."""
        return self._arrivals.check_resume(request, grants)

    def resume(self, request: Resume, grants: Grants, *, expires_at: float) -> ParticipantId:
        """Let somebody come back whose connection broke, or is about to be found broken; raises RequestError.

        A later `expires_at` holds; what may be done stays as it was.
        """
        return self._arrivals.resume(request, grants, expires_at=expires_at)

    def receive(self, sender: ParticipantId, message: AnyClientMessage, *, now: float) -> None:
        """Do what a participant asks, or tell it why not. Messages of those who are gone are dropped."""
        self.allocations.pass_time(now=now)
        participant = self._members.get(sender)
        try:
            if participant is not None:
                self._requests.handle(participant, message, now=now)
            elif (visitor := self._entrance.visitors.get(sender)) is not None:
                self._requests.handle_visitor(visitor, message)
        except RequestError as error:
            self._outbox.tell(sender, Error(re=message.id, code=error.code, message=error.message))
        except LinkBrokenError as error:
            self.media_closed(sender, str(error))

    def act(self, message: ModerationMessage, *, now: float) -> None:
        """Decide something in the name of the server; raises RequestError."""
        self._moderation.handle(None, message, now=now)

    def record(self, action: Action) -> None:
        """Begin or end a recording in the name of the server; raises RequestError."""
        self._recordings.act(action, None)

    def keep_encoding(self, track: TrackId, encoding: int | None) -> None:
        """Have a publisher send an encoding, shown or not, for somebody who is no participant; None: no more."""
        self.allocations.demand.keep(track, encoding)

    def limit_quality(self, participant: ParticipantId, ceiling: Level | None) -> None:
        """Let nobody be told that somebody's connection is better than this; None: no such limit."""
        if self._members.get(participant) is not None:
            self._watch.limit_quality(participant, ceiling)

    def send(self, body: Any, *, to: Literal["all"] | Recipients = "all", topic: str) -> None:
        """Send a message in the name of the server; raises RequestError."""
        self._conduct.send(body, to=to, topic=topic)

    def tell(self, to: ParticipantId, message: ServerMessage) -> None:
        """Tell somebody who is in, or waits, what the server has to say."""
        self._outbox.tell(to, message)

    def tell_everybody(self, message: ServerMessage) -> None:
        """Tell all who are in, or wait, what is no event of the room."""
        self._outbox.tell_all(message, also=tuple(self._entrance.visitors))

    def mute_track(self, track_id: str) -> None:
        """Stop a track in the name of the server; raises RequestError."""
        self._publications.mute_track(track_id)

    def configure(self, settings: RoomSettings) -> None:
        """Take other limits from now on; nobody who is in is put out by them, and the door is as it was."""
        self.settings = settings
        self._entrance.waiting_max = settings.waiting_max
        self._publications.limit()
        self._set_end()
        self._outbox.wake()

    def survey(self) -> Survey:
        """Return the room as the server itself sees it."""
        return Survey(
            door=self._entrance.door,
            participants=tuple(self._members),
            visitors=tuple(self._entrance.visitors.values()),
            spotlight=self._moderation.spotlight,
            hands=tuple(self._conduct.hands),
            recording=self._recordings.state,
        )

    def move(self, participant_id: ParticipantId, *, url: str, token: str | None = None) -> None:
        """Send somebody to another address; raises RequestError."""
        participant = self._members.find_any(participant_id)
        self._outbox.tell(participant.id, Moved(url=url, token=token))
        self.depart(participant, LeftReason.MOVED)
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
            self.depart(participant, reason)
        elif (visitor := self._entrance.visitors.get(sender)) is not None:
            self._arrivals.knock_over(visitor, "gone")

    def suspend(self, sender: ParticipantId, reason: LeftReason, *, now: float, silent_s: float | None = None) -> None:
        """Take note that the connection of a participant broke; it has a while to come back, its media goes on.

        `silent_s`: for how long nothing had come over it, if that is why it was given up.
        """
        participant = self._members.get(sender)
        if participant is None:
            self.disconnect(sender, reason)
            return
        if silent_s is not None:
            silent_s = self._absences.silence_s(participant, silent_s, now=now)
        if self.settings.resume_window_s <= 0:
            self.depart(participant, reason, silent_s=silent_s)
            return
        self._absences.suspend(participant, now=now)
        self._outbox.note(Note(NoteKind.SUSPENDED, participant.who(), silent_s=silent_s))
        self._arrivals.tell_presence(participant)

    def handle_timeout(self, *, now: float) -> None:
        """Remove those whose token has run out and those who did not come back; end a room that is too old."""
        for participant in self._members.expired(now=now):
            self.depart(participant, LeftReason.TIMEOUT)
            self._outbox.close(participant.id, CloseCode.TOKEN_EXPIRED, "the token has expired")
        for participant, verdict in self._absences.verdicts(now=now):
            match verdict:
                case Verdict.CONNECTION_GONE:
                    self.depart(participant, LeftReason.DISCONNECTED)
                case Verdict.MEDIA_GONE:
                    silent_s = self._absences.media_silence_s(participant, now=now)
                    self.media_closed(participant.id, "no sign of life on the media path", silent_s=silent_s)
                case _:
                    assert_never(verdict)
        for visitor in list(self._entrance.visitors.values()):
            if visitor.expires_at <= now:
                self._arrivals.knock_over(visitor, "gone")
                self._outbox.close(visitor.id, CloseCode.TOKEN_EXPIRED, "the token has expired")
        self.allocations.handle_timeout(now=now)
        self._watch.handle_timeout(now=now)
        if self._ends_at is not None and self._ends_at <= now and not self.over:
            self.finish(Ended(reason="duration"))

    def next_timeout(self) -> float | None:
        """Return when `handle_timeout` has something to do, in monotonic seconds; None if never."""
        if self.over:
            return None
        times = [visitor.expires_at for visitor in self._entrance.visitors.values()]
        if self._ends_at is not None and not self.empty:
            times.append(self._ends_at)
        asked = (self._members.next_expiry, self._absences.next_timeout, self._watch.next_timeout)
        times += [at for ask in (*asked, self.allocations.next_timeout) if (at := ask()) is not None]
        return min(times, default=None)

    def end(self, code: CloseCode, reason: str) -> None:
        """Close every connection and free everything; nothing may be asked of the room afterwards."""
        if self.over:
            return
        self.over = True
        self._recordings.end()
        for participant in self._members:
            participant.link.close()
            self._outbox.note(Note(NoteKind.LEFT, participant.who(), LeftReason.ENDED))
            self._outbox.close(participant.id, code, reason)
        for visitor in self._entrance.visitors.values():
            self._outbox.close(visitor.id, code, reason)
        if self._arrivals.joined:
            self._outbox.note(Note(NoteKind.ROOM_ENDED))
        self._members.clear()
        self._entrance.visitors.clear()
        self._changed_viewers.clear()
        self.allocations.clear()
        self._router.close()

    def finish(self, farewell: Ended) -> None:
        """End the room with a word to everybody."""
        for to in [*(each.id for each in self._members), *self._entrance.visitors]:
            self._outbox.tell(to, farewell)
        self.end(CloseCode.ENDED, "the class is over")

    def take_output(self) -> Sequence[Output]:
        """Return what is to be told and closed, in order; what moved in a client's slots comes last, in one message."""
        self._publications.settle()
        self.allocations.settle()
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
        self.depart(participant, reason)
        self._outbox.close(participant.id, code, farewell.message or farewell.reason)

    def let_in(self, visitor: Visitor, *, now: float) -> None:
        """Let somebody in who waits."""
        self._arrivals.let_in(visitor, now=now)

    def turn_away(self, visitor: Visitor, code: CloseCode, farewell: Ended) -> None:
        """Refuse somebody who waits."""
        self._arrivals.turn_away(visitor, code, farewell)

    def _set_end(self) -> None:
        most_s = self.settings.duration_max_s
        self._ends_at = None if self._began_at is None or most_s is None else self._began_at + most_s

    def depart(self, participant: Participant, reason: LeftReason, *, silent_s: float | None = None) -> None:
        """Remove somebody, and tell the others why. `silent_s`: for how long there had been no sign of life."""
        self._members.remove(participant)
        self._resume_tokens.forget(participant.id)
        self._conduct.forget(participant.id)
        self._moderation.forget(participant.id)
        self._absences.forget(participant.id)
        self._watch.forget(participant.id)
        self.allocations.forget(participant.id)
        self._outbox.note(Note(NoteKind.LEFT, participant.who(), reason, silent_s=silent_s))
        self._publications.withdraw(participant)
        participant.link.close()
        if not participant.grants.hidden:
            self._outbox.announce(
                ParticipantLeft(seq=self._outbox.next_seq(), participant=participant.id, reason=reason)
            )
        self._outbox.wake()  # also for the last, who leaves nobody to be told: the room is to be dropped

    def media_closed(self, participant_id: ParticipantId, reason: str, *, silent_s: float | None = None) -> None:
        """Remove somebody whose transport is gone. `silent_s`: for how long there had been no sign of life."""
        if (participant := self._members.get(participant_id)) is not None:
            self.depart(participant, LeftReason.TIMEOUT, silent_s=silent_s)
            self._outbox.close(participant_id, CloseCode.MEDIA_FAILED, reason)

    def media_connected(self, participant_id: ParticipantId) -> None:
        """Take note that somebody's media path works for the first time."""
        if (participant := self._members.get(participant_id)) is not None:
            self._absences.connect_media(participant)

    def media_silent(self, participant_id: ParticipantId, *, now: float) -> None:
        """Take note that no sign of life comes on somebody's media path."""
        if (participant := self._members.get(participant_id)) is not None:
            self._absences.fall_silent(participant, now=now)
            self._outbox.wake()

    def media_alive(self, participant_id: ParticipantId) -> None:
        """Take note that somebody's media path works again."""
        if (participant := self._members.get(participant_id)) is not None:
            self._absences.come_alive(participant)

    def viewer_changed(self, participant_id: ParticipantId) -> None:
        """Tell somebody soon what their slots show now."""
        self._changed_viewers.add(participant_id)
        self.allocations.touch(participant_id)

    def _viewers(self) -> list[Viewer]:
        return [participant.viewer for participant in self._members]
