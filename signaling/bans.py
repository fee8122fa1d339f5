"""Who may not come back into which room, and for how long: kept beside the rooms, which may be gone before."""

from __future__ import annotations

from typing import Final

from signaling.identifiers import Identity, RoomName

BANS_MAX: Final = 10_000
"""Beyond, the ban that would end first is forgotten: a bound on memory, not a number that schools reach."""


class Bans:
    """By room and identity, until the token that was banned would have ended anyway (monotonic seconds)."""

    def __init__(self) -> None:
        self._until: dict[tuple[RoomName, Identity], float] = {}

    def add(self, room: RoomName, identity: Identity, *, until: float, now: float) -> None:
        self._until = {key: end for key, end in self._until.items() if end > now}
        self._until[room, identity] = until
        if len(self._until) > BANS_MAX:
            del self._until[min(self._until, key=self._until.__getitem__)]

    def holds(self, room: RoomName, identity: Identity, *, now: float) -> bool:
        return self._until.get((room, identity), now) > now
