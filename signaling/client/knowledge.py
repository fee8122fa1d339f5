"""What a client knows of its room now, to be read: people, hands, door, values, permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signaling.client.events import Participant, Visitor
from signaling.client.roster import Roster
from signaling.identifiers import Door, ParticipantId
from signaling.server_messages import PermissionsView, RecordingState


class Knowledge:
    """All of it is as the last event left it; a participant that was read before does not change."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    @property
    def name(self) -> str:
        return self._roster.name

    @property
    def participants(self) -> Mapping[ParticipantId, Participant]:
        """The others in the room, by id, in the order of arrival."""
        return {each.id: each for each in self._roster.participants.values() if each.id != self._roster.own_id}

    @property
    def local(self) -> Participant | None:
        """Ourselves, once joined."""
        return self._roster.local

    @property
    def hands(self) -> list[Participant]:
        """Whose hand is up, the first raised first."""
        known = self._roster.participants
        return [known[each] for each in self._roster.hands if each in known]

    @property
    def door(self) -> Door:
        return self._roster.door

    @property
    def spotlight(self) -> list[Participant]:
        known = self._roster.participants
        return [known[each] for each in self._roster.spotlight if each in known]

    @property
    def values(self) -> Mapping[str, Any]:
        """What is kept for the room as a whole (`set_value(..., scope="room")`)."""
        return {key: entry.value for key, entry in self._roster.state.items()}

    @property
    def waiting(self) -> list[Visitor]:
        """Who waits to be admitted; for moderators."""
        return list(self._roster.waiting.values())

    @property
    def permissions(self) -> PermissionsView | None:
        """What we may do, once joined."""
        return self._roster.permissions

    @property
    def recording(self) -> RecordingState:
        """Whether the class is recorded: "off", "active" or "paused"."""
        return self._roster.recording
