"""Who is in a room: found by id or identity, and by what a message is addressed to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from signaling.client_messages import Recipients
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import Identity, ParticipantId
from signaling.outbox import Outbox
from signaling.participant import Participant


class Members:
    """In the order in which they joined. The suspended are members, too."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._members: dict[ParticipantId, Participant] = {}
        self._by_identity: dict[Identity, Participant] = {}
        self._next_expiry: float | None = None
        """None: not known, or nobody is there."""

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Participant]:
        return iter(self._members.values())

    def add(self, participant: Participant) -> None:
        if not self._members:
            self._next_expiry = participant.expires_at
        elif self._next_expiry is not None:
            self._next_expiry = min(self._next_expiry, participant.expires_at)
        self._members[participant.id] = self._by_identity[participant.grants.identity] = participant
        self._outbox.set_members(tuple(self._members))

    def remove(self, participant: Participant) -> None:
        del self._members[participant.id], self._by_identity[participant.grants.identity]
        if participant.expires_at == self._next_expiry:
            self._next_expiry = None
        self._outbox.set_members(tuple(self._members))

    def clear(self) -> None:
        self._members.clear()
        self._by_identity.clear()
        self._next_expiry = None

    def prolong(self, participant: Participant, expires_at: float) -> None:
        """Take another token, if it holds for longer; monotonic seconds."""
        if expires_at > participant.expires_at:
            if participant.expires_at == self._next_expiry:
                self._next_expiry = None
            participant.expires_at = expires_at

    def next_expiry(self) -> float | None:
        """Return when the next token runs out, in monotonic seconds; None if nobody is there."""
        if self._next_expiry is None:
            self._next_expiry = min((each.expires_at for each in self), default=None)
        return self._next_expiry

    def expired(self, *, now: float) -> list[Participant]:
        """Return those whose token has run out."""
        at = self.next_expiry()
        return [] if at is None or at > now else [each for each in self if each.expires_at <= now]

    def get(self, participant: ParticipantId) -> Participant | None:
        return self._members.get(participant)

    def with_identity(self, identity: Identity) -> Participant | None:
        return self._by_identity.get(identity)

    def find_any(self, participant: ParticipantId) -> Participant:
        """Return somebody, seen by the others or not; raises RequestError."""
        found = self._members.get(participant)
        if found is None:
            raise RequestError(ErrorCode.UNKNOWN_PARTICIPANT, f"there is no participant {participant!r} in this room")
        return found

    def find(self, participant: str) -> Participant:
        """Return somebody whom the others see; raises RequestError."""
        found = self._members.get(ParticipantId(participant))
        if found is None or found.grants.hidden:
            raise RequestError(ErrorCode.UNKNOWN_PARTICIPANT, f"there is no participant {participant!r} in this room")
        return found

    def moderators(self) -> tuple[ParticipantId, ...]:
        return tuple(each.id for each in self if each.grants.moderate)

    def addressed(self, to: Literal["all"] | Recipients) -> tuple[ParticipantId, ...]:
        """Return who gets a message; raises RequestError if somebody who is named is not there."""
        if not isinstance(to, Recipients):
            return tuple(self._members)
        named = {self.find(each).id for each in to.participants}
        return tuple(each.id for each in self if each.id in named or each.grants.role in to.roles)
