"""The header that carries an API key: read, or none; never an exception."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.authorize.basic import parse_basic


@given(st.text().filter(lambda user: ":" not in user), st.binary())
def test_user_and_password_are_read(user: str, password: bytes) -> None:
    credentials = base64.b64encode(user.encode() + b":" + password).decode()
    assert parse_basic(f"Basic {credentials}") == (user, password)
    assert parse_basic(f"basic  {credentials} ") == (user, password)


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !", "Basic a", "Bearer YTpi", "Basic YWI=", "Basic /zpi", "Basic é"]
)
def test_anything_else_is_none(header: str) -> None:
    assert parse_basic(header) is None


@given(st.text())
def test_nothing_raises(header: str) -> None:
    parse_basic(header)
    parse_basic(f"Basic {header}")
