"""Names sort and are found alike however they were typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.text import search_pattern, sort_key


@pytest.mark.parametrize(
    ("typed", "other"),
    [("أحمد", "احمد"), ("فَاطِمَة", "فاطمه"), ("هُدى", "هدي"), ("محـــمد", "محمد"), ("ZOË", "zoe"), ("  a   b ", "A B")],
)
def test_spellings_are_one(typed: str, other: str) -> None:
    assert sort_key(typed) == sort_key(other)


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(text: str) -> None:
    assert sort_key(sort_key(text)) == sort_key(text)


def test_signs_of_like_are_plain() -> None:
    assert search_pattern("5%_\\") == "%5\\%\\_\\\\%"
