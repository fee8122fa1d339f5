"""How long a participant is waited for: whose connection broke, or whose media path went silent."""

from __future__ import annotations

import enum
from collections.abc import Callable

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

    def suspend(self, participant: Participant, *, now: float) -> None:
        """The connection broke."""
        participant.suspended_until = now + self.settings().resume_window_s

    def come_back(self, participant: Participant) -> bool:
        """The connection is back; return whether it was gone. A silent media path has its whole time-out again."""
        if participant.suspended_until is None:
            return False
        if participant.silent_until is not None:
            participant.silent_until = participant.suspended_until + self.settings().media_timeout_s
        participant.suspended_until = None
        return True

    def remind(self, participant: Participant) -> None:
        """Tell somebody who is connected whether the media path is silent."""
        if participant.silent_until is not None:
            timeout_s = self.settings().media_timeout_s
            self._outbox.tell(participant.id, MediaPath(state="silent", timeout_s=timeout_s))

    def fall_silent(self, participant: Participant, *, now: float) -> None:
        """No sign of life came on the media path for a while: ask the client to do something about it."""
        participant.silent_until = now + self.settings().media_timeout_s
        self.remind(participant)

    def come_alive(self, participant: Participant) -> None:
        """Media flows again."""
        if participant.silent_until is not None:
            participant.silent_until = None
            self._outbox.tell(participant.id, MediaPath(state="alive"))

    def next_timeout(self, participant: Participant) -> float | None:
        """Return when there may be a verdict, in monotonic seconds; None if neither way is broken."""
        return participant.silent_until if participant.suspended_until is None else participant.suspended_until

    def verdict(self, participant: Participant, *, now: float) -> Verdict | None:
        """Return why somebody is to be put out now; None if not."""
        if participant.suspended_until is not None:
            return Verdict.CONNECTION_GONE if participant.suspended_until <= now else None
        if participant.silent_until is not None and participant.silent_until <= now:
            return Verdict.MEDIA_GONE
        return None
