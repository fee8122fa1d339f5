"""Names of rooms and people: what is taken, in which form, and what is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.names import check_text, parse_room_name


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "algebra-7b",
        "Class_1.2",
        "7",
        "_private",
        "-",
        "مدرسة-النور",
        "الصف_٣",
        "كِتَاب",  # with vowel signs
        "Schule-Köln",
        "数学",
        "गणित",
        "x" * 128,
    ],
)
def test_room_names_of_any_script(name: str) -> None:
    assert parse_room_name(name) == unicodedata.normalize("NFC", name)


def test_both_unicode_forms_of_a_name_are_one_room() -> None:
    assert parse_room_name("Ko\u0308ln") == parse_room_name("Köln")


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("", "empty"),
        ("x" * 129, "longer than 128"),
        ("x" * 1_000_000, "longer than 128"),
        (".", "must start"),
        ("..", "must start"),
        (".hidden", "must start"),
        ("\u0301a", "must start"),
        ("a b", "U+0020"),
        ("a/b", "U+002F"),
        ("a\\b", "U+005C"),
        ("a\x00b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a%2Fb", "U+0025"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\ud800b", "U+D800"),
        ("<script>", "U+003C"),
        ("😀", "U+1F600"),
    ],
)
def test_room_names_that_are_refused_with_the_rule(name: str, because: str) -> None:
    with pytest.raises(ValueError, match=because.replace("+", r"\+")):
        parse_room_name(name)


@given(st.text())
def test_a_room_name_is_stable_and_safe(name: str) -> None:
    try:
        parsed = parse_room_name(name)
    except ValueError:
        return
    assert parse_room_name(parsed) == parsed
    assert parsed.encode()
    assert not set(parsed) & set("/\\\0%?#<>\"' ")


@pytest.mark.parametrize("text", ["Amal", "د. أمل", "O'Brien (2)", "علی\u200cرضا", "👩‍🏫", "אבג\u200f!"])
def test_names_of_people(text: str) -> None:
    assert check_text(text, what="name", characters_max=128) == text


@pytest.mark.parametrize("text", ["", " ", "a\n", "\x7f", "\u2028", "a\u202e", "\u2067", "\ud800", "\ue000", "x" * 129])
def test_texts_that_break_a_display(text: str) -> None:
    with pytest.raises(ValueError, match=r"^name "):
        check_text(text, what="name", characters_max=128)
