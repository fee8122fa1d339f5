"""Which rooms a key opens."""

from __future__ import annotations

import pytest

from signaling.room_pattern import EVERY_ROOM, RoomPattern


def test_all_one_or_a_beginning() -> None:
    assert EVERY_ROOM.allows("anything")
    assert RoomPattern("algebra").allows("algebra")
    assert not RoomPattern("algebra").allows("algebra-2")
    school = RoomPattern("school-a.*")
    assert school.allows("school-a.7b")
    assert school.allows("school-a.")
    assert not school.allows("school-ab.7b")
    assert not school.allows("school-b.7b")


def test_names_are_compared_as_rooms_are_named() -> None:
    decomposed, composed = "e\u0301cole.*", "\u00e9cole.1"
    assert RoomPattern(decomposed).allows(composed)


@pytest.mark.parametrize("text", ["", "**", "*a", "a*b", ".*", "a/*", "a b", "\u0301*", "x" * 129, "a\x00*"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="room pattern"):
        RoomPattern(text)


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ("*", "*", True),
        ("*", "a", True),
        ("a*", "a", True),
        ("a*", "ab*", True),
        ("a", "a", True),
        ("a", "a*", False),
        ("ab*", "a*", False),
        ("a*", "*", False),
        ("a*", "b", False),
    ],
)
def test_no_key_makes_a_wider_one(wide: str, narrow: str, covers: bool) -> None:
    assert RoomPattern(wide).covers(RoomPattern(narrow)) is covers
