"""Control tokens: short-lived JSON Web Tokens that an API key signs for itself, so that its secret need not travel.

They may name fewer scopes and rooms than the key has, e.g. to hand one class to a program that is trusted less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import jwt
import msgspec
from jwt.types import Options

from control_api.contract.scopes import Scope
from control_api.keys import ApiKey
from control_api.keys.api_key import moment, parse_scope
from signaling.keys import KEY_ID_CHARACTERS_MAX, SigningKey
from signaling.room_pattern import RoomPattern
from signaling.tokens import ALGORITHM, LEEWAY_S, TOKEN_CHARACTERS_MAX, verify

AUDIENCE: Final = "halqa-control"
"""Tokens to join rooms have no audience: neither kind is taken for the other."""

LIFETIME_S_MAX: Final = 3600.0  # they are made on the spot; who finds one in a log an hour later has nothing

# Time is an argument here, so expiry is checked below.
_OPTIONS: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "aud"],
}


class BadControlTokenError(ValueError):
    """A token that opens nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What a control token lets its bearer do, never more than its key may."""

    scopes: frozenset[Scope]
    rooms: RoomPattern


class _Claims(msgspec.Struct, frozen=True):
    """The claims that we read. An unknown one could be a limit, but only `crit` in the header may say so (RFC 7515)."""

    exp: float
    scope: str | None = None
    """Scopes with blanks between (RFC 8693 section 4.2); None: all of the key."""
    rooms: str | None = None
    """A room pattern; None: that of the key."""


def make_control_token(
    key: ApiKey, *, expires_at: float, scopes: frozenset[Scope] | None = None, rooms: RoomPattern | None = None
) -> str:
    """Return a control token of this key, until `expires_at` (seconds since 1970, UTC)."""
    claims: dict[str, Any] = {"aud": AUDIENCE, "exp": math.ceil(expires_at)}
    if scopes is not None:
        claims["scope"] = " ".join(sorted(scope.value for scope in scopes))
    if rooms is not None:
        claims["rooms"] = rooms.text
    return jwt.encode(claims, key.secret, algorithm=ALGORITHM, headers={"kid": key.key_id})


def read_key_id(token: str) -> str:
    """Return which key a token says to be signed with; raises BadControlTokenError."""
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise BadControlTokenError(f"it is longer than {TOKEN_CHARACTERS_MAX} characters")
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise BadControlTokenError("it is no JSON Web Token") from None
    if not isinstance(key_id, str) or not 0 < len(key_id) <= KEY_ID_CHARACTERS_MAX:
        raise BadControlTokenError(f"its header needs a kid of 1 to {KEY_ID_CHARACTERS_MAX} characters")
    return key_id


def check_control_token(token: str, key: ApiKey, *, wallclock: float) -> Permission:
    """Return what a token of this key permits, or raise BadControlTokenError. `wallclock`: seconds since 1970, UTC."""
    secrets = key.secrets_at(moment(wallclock))
    if not secrets:
        raise BadControlTokenError("its key has ended")
    try:
        claims = msgspec.convert(verify(token, SigningKey(secrets), _OPTIONS, audience=AUDIENCE), _Claims)
    except jwt.InvalidSignatureError:
        raise BadControlTokenError("its signature is not of the key that it names") from None
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise BadControlTokenError(f"it is not usable: {str(error)[:200]}") from None
    # Written so that a NaN, which JSON in Python lets in, does not pass.
    if not claims.exp <= wallclock + LIFETIME_S_MAX + LEEWAY_S:
        raise BadControlTokenError(f"it lives longer than {LIFETIME_S_MAX:g} s")
    if not wallclock < claims.exp + LEEWAY_S:
        raise BadControlTokenError(f"it expired {wallclock - claims.exp:.0f} s ago")
    return _narrow(claims, key)


def _narrow(claims: _Claims, key: ApiKey) -> Permission:
    try:
        asked = key.scopes if claims.scope is None else frozenset(map(parse_scope, claims.scope.split()))
        rooms = key.rooms if claims.rooms is None else RoomPattern(claims.rooms)
    except ValueError as error:
        raise BadControlTokenError(str(error)) from None
    if not key.rooms.covers(rooms):
        raise BadControlTokenError(f"it is for rooms {rooms.text} and its key for {key.rooms.text}")
    return Permission(asked & key.scopes, rooms)
