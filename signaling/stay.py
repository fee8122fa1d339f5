"""Somebody's stay in a room, and the outlet by which the room speaks to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from signaling.codes import CloseCode
from signaling.identifiers import ParticipantId
from signaling.room import Room


class Outlet(Protocol):
    """Where the messages for one participant go: a WebSocket, or what translates another protocol. Never waits."""

    def send(self, frame: bytes) -> None:
        """Take one message as it is encoded for the wire."""

    def hold(self, frame: bytes) -> None:
        """Take one that goes with the next, or at `flush`."""

    def flush(self) -> None:
        """Let go what was held."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Learn that the participant is no longer in the room; `SignalingServer.leave` is to be called."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody is in a room; `SignalingServer.leave` ends it."""

    room: Room
    participant: ParticipantId
    outlet: Outlet
