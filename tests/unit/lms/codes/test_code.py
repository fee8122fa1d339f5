"""Access codes: how they look, how they are typed, what is kept of them."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.codes.code import (
    LENGTH,
    SIGNS,
    CodeKind,
    CodeState,
    UsesError,
    hash_code,
    last_signs,
    make_code,
    read_code,
    uses_of,
)

ORG = UUID(int=1)
KEY = bytes(32)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_signs_cannot_be_taken_for_each_other() -> None:
    assert len(set(SIGNS)) == 32
    assert not set("IO01") & set(SIGNS)


@given(st.randoms(use_true_random=False))
def test_a_code_is_read_as_it_was_made(chance: random.Random) -> None:
    code = make_code(chance.choice)
    groups = code.split("-")
    assert [len(group) for group in groups] == [4, 4, 4]
    assert read_code(code) == code.replace("-", "")
    assert last_signs(code) == groups[-1]


@pytest.mark.parametrize(
    "typed",
    [
        "ABCD-EFGH-2345",
        "abcdefgh2345",
        " abcd efgh 2345\n",
        "ABCD–EFGH—2345",
        "ＡＢＣＤ-efgh-2345",
        "abcd-efgh-٢٣٤٥",
        "\u200eABCD-EFGH-2345\u200f",  # copied out of a right-to-left text
    ],
)
def test_what_people_type(typed: str) -> None:
    assert read_code(typed) == "ABCDEFGH2345"


@pytest.mark.parametrize(
    "typed", ["", "ABCD-EFGH-234", "ABCD-EFGH-23456", "ABCD-EFGH-2340", "IBCD-EFGH-2345", "ABCD.EFGH.2345", " " * 9999]
)
def test_what_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


@given(st.text(max_size=80))
def test_any_text_is_a_code_or_none(typed: str) -> None:
    signs = read_code(typed)
    assert signs is None or (len(signs) == LENGTH and set(signs) <= set(SIGNS))


def test_what_is_kept_differs_by_school_and_key() -> None:
    kept = hash_code("ABCDEFGH2345", org_id=ORG, key=KEY)
    assert kept == hash_code("ABCDEFGH2345", org_id=ORG, key=KEY)
    assert kept != hash_code("ABCDEFGH2345", org_id=UUID(int=2), key=KEY)
    assert kept != hash_code("ABCDEFGH2345", org_id=ORG, key=secrets.token_bytes(32))
    assert len(kept) == 32


@pytest.mark.parametrize(
    ("kind", "given_uses", "uses"),
    [
        (CodeKind.SINGLE_USE, None, 1),
        (CodeKind.SINGLE_USE, 1, 1),
        (CodeKind.MULTI_USE, 30, 30),
        (CodeKind.UNLIMITED, None, None),
    ],
)
def test_uses(kind: CodeKind, given_uses: int | None, uses: int | None) -> None:
    assert uses_of(kind, given_uses) == uses


@pytest.mark.parametrize(
    ("kind", "given_uses"), [(CodeKind.SINGLE_USE, 2), (CodeKind.MULTI_USE, None), (CodeKind.UNLIMITED, 5)]
)
def test_uses_that_do_not_go_with_the_kind(kind: CodeKind, given_uses: int | None) -> None:
    with pytest.raises(UsesError):
        uses_of(kind, given_uses)


@pytest.mark.parametrize(
    ("state", "usable"),
    [
        (CodeState(active=True, uses=0, max_uses=1, expires_at=None), True),
        (CodeState(active=True, uses=1, max_uses=1, expires_at=None), False),
        (CodeState(active=True, uses=999, max_uses=None, expires_at=None), True),
        (CodeState(active=False, uses=0, max_uses=None, expires_at=None), False),
        (CodeState(active=True, uses=0, max_uses=None, expires_at=NOW), False),
        (CodeState(active=True, uses=0, max_uses=None, expires_at=NOW + timedelta(microseconds=1)), True),
    ],
)
def test_when_a_code_opens(state: CodeState, usable: bool) -> None:
    assert state.is_usable(NOW) is usable
