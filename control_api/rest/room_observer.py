"""Tells the created rooms when one of them begins and ends, and the journal of everything."""

from __future__ import annotations

from control_api.journal.journal import Journal
from control_api.journal.observer import JournalObserver
from control_api.rest.created_rooms import CreatedRooms
from signaling.facts import RoomFact


class CreatedRoomsObserver(JournalObserver):
    """A journal's observer that looks after created rooms as well."""

    def __init__(self, journal: Journal, created: CreatedRooms) -> None:
        super().__init__(journal)
        self._created = created

    def room_started(self, fact: RoomFact) -> None:
        self._created.began(fact.room)
        super().room_started(fact)

    def room_ended(self, fact: RoomFact) -> None:
        self._created.ended(fact.room)
        super().room_ended(fact)
