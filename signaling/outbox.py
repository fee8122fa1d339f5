"""What a room has to say, in order, until the shell takes it; and the numbers of its events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from signaling.codes import CloseCode
from signaling.identifiers import ParticipantId
from signaling.record import Note
from signaling.replay import EVENT_BYTES, EventLog
from signaling.server_messages import ServerMessage


@dataclass(frozen=True, slots=True)
class Tell:
    """One message, the same for all these participants: encode it once."""

    to: tuple[ParticipantId, ...]
    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Close:
    """The participant is no longer in the room: close its connection after what was told to it before."""

    to: ParticipantId
    code: CloseCode
    reason: str


Output: TypeAlias = Tell | Close | Note


class Outbox:
    """Outputs in the order in which things happened. Not bounded: the shell drains it after every input."""

    def __init__(self, *, wake: Callable[[], None]) -> None:
        """`wake` is called when there is something to take after there was nothing."""
        self.seq = 0
        """Number of the last room event."""
        self._wake = wake
        self._members: tuple[ParticipantId, ...] = ()
        self._outputs: list[Output] = []
        self.log = EventLog()
        """The last room events, for those who come back."""
        self._awake = False

    def set_members(self, members: tuple[ParticipantId, ...]) -> None:
        """Everybody who hears room events from now on."""
        self._members = members

    @property
    def members(self) -> tuple[ParticipantId, ...]:
        """Everybody who hears room events; the same object as long as nobody comes or goes."""
        return self._members

    def next_seq(self) -> int:
        """Return the number of a new room event."""
        self.seq += 1
        return self.seq

    def tell(self, to: ParticipantId, message: ServerMessage) -> None:
        self._put(Tell((to,), message))

    def announce(
        self,
        message: ServerMessage,
        *,
        to: tuple[ParticipantId, ...] | None = None,
        but: ParticipantId | None = None,
        size_bytes: int = EVENT_BYTES,
    ) -> None:
        """Tell the room event with the last number to everybody, or to some; it can be told again to these.

        `but` is somebody who is told in other words, e.g. with the answer to a request.
        """
        to = self._members if to is None else to
        self.log.add(self.seq, to, message, size_bytes=size_bytes)
        if but is not None:
            to = tuple(member for member in to if member != but)
        if to:
            self._put(Tell(to, message))

    def tell_all(self, message: ServerMessage, *, also: tuple[ParticipantId, ...] = ()) -> None:
        """Tell everybody, and others, what is no room event: who is not connected now never hears it."""
        if to := (*self._members, *also):
            self._put(Tell(to, message))

    def tell_some(self, to: tuple[ParticipantId, ...], message: ServerMessage) -> None:
        """Tell these what is no room event, encoded once."""
        self._put(Tell(to, message))

    def note(self, note: Note) -> None:
        """Have something kept on record."""
        self._put(note)

    def close(self, to: ParticipantId, code: CloseCode, reason: str) -> None:
        self._put(Close(to, code, reason))

    def wake(self) -> None:
        """Have the shell call `take` soon, once."""
        if not self._awake:
            self._awake = True
            self._wake()

    def take(self) -> list[Output]:
        """Return everything since the last call."""
        outputs, self._outputs = self._outputs, []
        self._awake = False
        return outputs

    def _put(self, output: Output) -> None:
        self._outputs.append(output)
        self.wake()
