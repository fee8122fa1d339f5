"""Names sort and are found alike however they were typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.text import KEY_CHARACTERS_MAX, search_form, search_pattern, sort_key


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        *(("أحمد", "احمد"), ("آمنة", "امنه"), ("إبراهيم", "ابراهيم"), ("فَاطِمَة", "فاطمه"), ("هُدى", "هدي")),
        *(("مسؤول", "مسوول"), ("محـــمد", "محمد"), ("\u200fعلي\u200e", "علي"), ("الصف ٢", "الصف 2"), ("ﷲ", "الله")),
        *(
            ("ZOË", "zoe"),
            ("  a   b ", "A B"),
            ("O\u2019Brien", "obrien"),
            ("Al-Noor", "al noor"),
            ("Łukasz", "lukasz"),
        ),
    ],
)
def test_spellings_are_one(typed: str, other: str) -> None:
    assert search_form(typed) == search_form(other)
    assert sort_key(typed) == sort_key(other)


@given(st.text(max_size=40))
def test_a_form_is_its_own_form(text: str) -> None:
    assert search_form(search_form(text)) == search_form(text)


def test_both_languages_in_order_and_numbers_by_what_they_count() -> None:
    names = ["Émile", "Grade 10", "Grade 9", "Grade", "grade 9 b", "الصف ١٠", "الصف ٩", "بدر", "أحمد", "Zoe", "ahmed"]
    assert sorted(names, key=sort_key) == [
        *("ahmed", "Émile", "Grade", "Grade 9", "grade 9 b", "Grade 10", "Zoe"),
        *("أحمد", "الصف ٩", "الصف ١٠", "بدر"),
    ]


@given(st.text(min_size=1, max_size=60), st.integers(0, 59), st.integers(1, 20))
def test_every_piece_of_a_form_is_in_its_key(text: str, begin: int, length: int) -> None:
    assert search_form(text)[begin : begin + length] in sort_key(text)


def test_keys_fit_into_an_index() -> None:
    assert len(sort_key("1 ﷺ" * 200).encode()) <= 4 * (2 * KEY_CHARACTERS_MAX + 1) < 2704


def test_signs_of_like_are_plain() -> None:
    assert search_pattern("5%_\\") == "%5\\%\\_\\\\%"
