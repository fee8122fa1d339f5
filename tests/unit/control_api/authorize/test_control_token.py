"""Control tokens: what they permit, and everything that opens nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.authorize.control_token import (
    AUDIENCE,
    LIFETIME_S_MAX,
    BadControlTokenError,
    check_control_token,
    make_control_token,
    read_key_id,
)
from control_api.contract.scopes import Scope
from control_api.keys import ApiKey, EarlierSecret, moment
from signaling.keys import StaticKeys
from signaling.room_pattern import RoomPattern
from signaling.tokens import TokenError, check_token

NOW = 1_800_000_000.0
SECRET = b"0123456789abcdef0123456789abcdef"
KEY = ApiKey("key-1", SECRET, scopes=frozenset({Scope.ROOMS_READ, Scope.EVENTS_READ}), rooms=RoomPattern("a.*"))
CLAIMS = {"aud": AUDIENCE, "exp": NOW + 60}


def signed(claims: Mapping[str, Any], secret: bytes = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(dict(claims), secret, algorithm=algorithm, headers={"kid": "key-1"})


def raw(header: object, payload: object) -> str:
    parts = (json.dumps(part).encode() for part in (header, payload))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def test_it_permits_what_its_key_may() -> None:
    token = make_control_token(KEY, expires_at=NOW + 60)
    assert read_key_id(token) == "key-1"
    permission = check_control_token(token, KEY, wallclock=NOW)
    assert permission.scopes == KEY.scopes
    assert permission.rooms == KEY.rooms


def test_it_may_permit_less_and_never_more() -> None:
    token = make_control_token(
        KEY, expires_at=NOW + 60, scopes=frozenset({Scope.ROOMS_READ, Scope.KEYS_WRITE}), rooms=RoomPattern("a.7b")
    )
    permission = check_control_token(token, KEY, wallclock=NOW)
    assert permission.scopes == {Scope.ROOMS_READ}
    assert permission.rooms == RoomPattern("a.7b")
    with pytest.raises(BadControlTokenError, match="its key for a"):
        check_control_token(make_control_token(KEY, expires_at=NOW + 60, rooms=RoomPattern("*")), KEY, wallclock=NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": AUDIENCE},
        {"exp": NOW + 60},
        CLAIMS | {"aud": "somebody else"},
        CLAIMS | {"aud": 7},
        CLAIMS | {"exp": NOW - 6},
        CLAIMS | {"exp": NOW + LIFETIME_S_MAX + 60},
        CLAIMS | {"exp": "tomorrow"},
        CLAIMS | {"exp": float("nan")},
        CLAIMS | {"exp": float("inf")},
        CLAIMS | {"scope": "rooms:everything"},
        CLAIMS | {"scope": ["rooms:read"]},
        CLAIMS | {"rooms": "b.*"},
        CLAIMS | {"rooms": "../*"},
    ],
)
def test_what_is_wrong_opens_nothing(claims: dict[str, Any]) -> None:
    with pytest.raises(BadControlTokenError):
        check_control_token(signed(claims), KEY, wallclock=NOW)


def test_the_algorithm_is_pinned() -> None:
    long = replace(KEY, secret=SECRET * 2)  # as HS512 wants it
    for key, token in (
        (KEY, raw({"alg": "none", "kid": "key-1"}, CLAIMS)),
        (KEY, raw({"alg": "HS256", "kid": "key-1"}, CLAIMS)),
        (long, signed(CLAIMS, secret=long.secret, algorithm="HS512")),
        (KEY, signed(CLAIMS, secret=b"x" * 32)),
    ):
        with pytest.raises(BadControlTokenError):
            check_control_token(token, key, wallclock=NOW)


@pytest.mark.parametrize("kid", [None, "", 7, ["key-1"], "x" * 65, {"a": 1}])
def test_the_key_id_is_a_short_text(kid: object) -> None:
    with pytest.raises(BadControlTokenError):
        read_key_id(raw({"alg": "HS256", "kid": kid}, CLAIMS))


def test_a_key_that_ended_signs_nothing() -> None:
    token = signed(CLAIMS)
    for ended in (replace(KEY, revoked_at=moment(NOW - 1)), replace(KEY, expires_at=moment(NOW))):
        with pytest.raises(BadControlTokenError, match="its key has ended"):
            check_control_token(token, ended, wallclock=NOW)


def test_the_earlier_secret_counts_until_its_time() -> None:
    rotated = replace(KEY, secret=b"n" * 32, earlier=(EarlierSecret(SECRET, moment(NOW + 10)),))
    check_control_token(signed(CLAIMS), rotated, wallclock=NOW)
    with pytest.raises(BadControlTokenError, match="signature"):
        check_control_token(signed(CLAIMS), rotated, wallclock=NOW + 10)


def test_neither_kind_of_token_is_taken_for_the_other() -> None:
    join = {"sub": "amal", "room": "a.7b", "exp": NOW + 60}
    with pytest.raises(BadControlTokenError):
        check_control_token(signed(join), KEY, wallclock=NOW)
    with pytest.raises(TokenError):
        check_token(signed(join | CLAIMS), StaticKeys({"key-1": SECRET}), wallclock=NOW)


@given(st.text(max_size=200))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(BadControlTokenError):
        read_key_id(text)
    with pytest.raises(BadControlTokenError):
        check_control_token(text, KEY, wallclock=NOW)
