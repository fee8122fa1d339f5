"""Tokens by which a client that lost its connection proves to be the participant that it was."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from signaling.identifiers import ParticipantId


class ResumeTokens:
    """One for each participant, good for one time: coming back brings another."""

    def __init__(self, *, new_id: Callable[[], str]) -> None:
        """`new_id` makes texts that nobody can guess."""
        self._new_id = new_id
        self._secrets: dict[ParticipantId, str] = {}

    def issue(self, participant: ParticipantId) -> str:
        """Return a new token; the one before is good for nothing."""
        secret = self._secrets[participant] = f"{self._new_id()}{self._new_id()}"
        return f"{participant}.{secret}"

    def check(self, token: str) -> ParticipantId | None:
        """Return whose token that is; compares in constant time, so that it cannot be found letter by letter."""
        participant, _, secret = token.partition(".")
        expected = self._secrets.get(ParticipantId(participant))
        if expected is None or not hmac.compare_digest(expected.encode(), secret.encode()):
            return None
        return ParticipantId(participant)

    def forget(self, participant: ParticipantId) -> None:
        self._secrets.pop(participant, None)
