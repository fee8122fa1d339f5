"""Cursors: what was given out is taken back, and anything else is told so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.feed.cursor import BadCursorError, Cursor, build_cursor, parse_cursor


@given(st.from_regex(r"[0-9a-f]{8}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_cursor_is_read_back(journal_id: str, position: int) -> None:
    cursor = Cursor(journal_id, position)
    assert parse_cursor(build_cursor(cursor)) == cursor


@given(st.text())
def test_any_text_is_a_cursor_or_the_one_error(text: str) -> None:
    try:
        cursor = parse_cursor(text)
    except BadCursorError:
        return
    assert build_cursor(cursor) == text


@pytest.mark.parametrize(
    "text", ["", "5", "0a1b2c3d", "0a1b2c3d-", "0A1B2C3D-1", "0a1b2c3d-01", "0a1b2c3d-1 ", "0a1b2c3d-1\n"]
)
def test_almost_a_cursor_is_none(text: str) -> None:
    with pytest.raises(BadCursorError, match="not a cursor"):
        parse_cursor(text)
