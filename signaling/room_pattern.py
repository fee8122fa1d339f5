"""Which rooms an API key opens: all, one, or those whose names begin alike (the rooms of one school)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from signaling.names import parse_room_name

ANY: Final = "*"  # no character of room names, so a pattern is never mistaken for a name


@dataclass(frozen=True, slots=True)
class RoomPattern:
    """`*`, a room's name, or the beginning of names and `*`: `school-a.*`. Raises ValueError for anything else.

    A beginning should end in a separator: `school-a*` opens the rooms of `school-ab` too.
    """

    text: str = ANY

    def __post_init__(self) -> None:
        beginning = self.text.removesuffix(ANY)
        if not beginning and self.text == ANY:
            return
        try:
            name = parse_room_name(beginning)
        except ValueError as error:
            raise ValueError(f"room pattern {self.text[:200]!r}: {error}; expected NAME, BEGINNING* or *") from None
        object.__setattr__(self, "text", name + self.text[len(beginning) :])  # names are compared in Unicode form NFC

    def allows(self, room: str) -> bool:
        """Return whether the room of this name (as `parse_room_name` returns it) is one of them."""
        if self.text.endswith(ANY):
            return room.startswith(self.text[:-1])
        return room == self.text

    def covers(self, other: RoomPattern) -> bool:
        """Return whether every room of the other pattern is one of this."""
        if other.text.endswith(ANY):
            return self.text.endswith(ANY) and other.text.startswith(self.text[:-1])
        return self.allows(other.text)

    @property
    def is_everything(self) -> bool:
        """Whether no room is left out."""
        return self.text == ANY


EVERY_ROOM: Final = RoomPattern()
