"""How long a participant is waited for: whose connection broke, or whose media path went silent."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable

from signaling.identifiers import ParticipantId
from signaling.limits import RoomSettings
from signaling.outbox import Outbox
from signaling.participant import Participant
from signaling.server_messages import MediaPath


class Verdict(enum.Enum):
    """Why somebody is not waited for any longer."""

    CONNECTION_GONE = enum.auto()
    MEDIA_GONE = enum.auto()


class Absences:
    """Two ways lead to a participant, and either may break alone. While one may still come back, nobody is put out.

    Without a connection, the resume window decides alone: what its media path does meanwhile puts nobody out earlier.
    """

    def __init__(self, outbox: Outbox, settings: Callable[[], RoomSettings]) -> None:
        """`settings` returns those that hold now."""
        self._outbox = outbox
        self.settings = settings
        self._broken: dict[ParticipantId, Participant] = {}
        """To whom one way is broken, or both."""

    def suspend(self, participant: Participant, *, now: float) -> None:
        """The connection broke."""
        self._broken[participant.id] = participant
        participant.suspended_until = now + self.settings().resume_window_s

    @staticmethod
    def silence_s(participant: Participant, silent_s: float, *, now: float) -> float | None:
        """Return for how long neither way showed life, None if one does; `silent_s` says it of the connection."""
        lived_until = now - silent_s
        if participant.media_lived_until is not None:
            lived_until = max(lived_until, participant.media_lived_until)
        return now - lived_until if lived_until < now else None

    @staticmethod
    def media_silence_s(participant: Participant, *, now: float) -> float | None:
        """Return for how long the media path was silent if it alone shows life; None if a connection does, too."""
        lived_until = participant.media_lived_until
        return None if participant.connected or lived_until is None else max(0.0, now - lived_until)

    def come_back(self, participant: Participant) -> bool:
        """The connection is back; return whether it was gone. A silent media path has its whole time-out again."""
        if participant.suspended_until is None:
            return False
        if participant.silent_until is not None:
            participant.silent_until = participant.suspended_until + self.settings().media_timeout_s
        participant.suspended_until = None
        self._forget_if_mended(participant)
        return True

    def remind(self, participant: Participant) -> None:
        """Tell somebody who is connected whether the media path is silent."""
        if participant.silent_until is not None:
            timeout_s = self.settings().media_timeout_s
            self._outbox.tell(participant.id, MediaPath(state="silent", timeout_s=timeout_s))

    @staticmethod
    def connect_media(participant: Participant) -> None:
        """The media path works for the first time."""
        if participant.silent_until is None:
            participant.media_lived_until = math.inf

    def fall_silent(self, participant: Participant, *, now: float) -> None:
        """No sign of life came on the media path for a while: ask the client to do something about it."""
        self._broken[participant.id] = participant
        participant.media_lived_until = now
        participant.silent_until = now + self.settings().media_timeout_s
        self.remind(participant)

    def come_alive(self, participant: Participant) -> None:
        """Media flows again."""
        participant.media_lived_until = math.inf
        if participant.silent_until is not None:
            participant.silent_until = None
            self._forget_if_mended(participant)
            self._outbox.tell(participant.id, MediaPath(state="alive"))

    def forget(self, participant: ParticipantId) -> None:
        """Somebody is gone."""
        self._broken.pop(participant, None)

    def next_timeout(self) -> float | None:
        """Return when there may be a verdict, in monotonic seconds; None if no way is broken."""
        times = (self._until(each) for each in self._broken.values())
        return min((at for at in times if at is not None), default=None)

    def verdicts(self, *, now: float) -> list[tuple[Participant, Verdict]]:
        """Return who is to be put out now, and why."""
        late = [each for each in self._broken.values() if (at := self._until(each)) is not None and at <= now]
        return [
            (each, Verdict.MEDIA_GONE if each.suspended_until is None else Verdict.CONNECTION_GONE) for each in late
        ]

    @staticmethod
    def _until(participant: Participant) -> float | None:
        return participant.silent_until if participant.suspended_until is None else participant.suspended_until

    def _forget_if_mended(self, participant: Participant) -> None:
        if participant.suspended_until is None and participant.silent_until is None:
            self._broken.pop(participant.id, None)
