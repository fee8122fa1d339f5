"""Access tokens: JSON Web Tokens (RFC 7519), HS256 only, whose header `kid` names the API key that signed them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import jwt
import msgspec
from jwt.types import Options

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import ALL_SOURCES, NO_SOURCES, Grants
from signaling.identifiers import Identity, Role, Source
from signaling.keys import KEY_ID_CHARACTERS_MAX, KeyStore, SigningKey
from signaling.names import DISPLAY_NAME_CHARACTERS_MAX, IDENTITY_CHARACTERS_MAX, check_text, parse_room_name

ALGORITHM: Final = "HS256"
TOKEN_CHARACTERS_MAX: Final = 4096  # a whole header line must stay below the 8190 bytes that aiohttp takes
LEEWAY_S: Final = 5.0  # clocks set by NTP differ by less; every second more is a second of use after the end
LIFETIME_S_MAX: Final = 366 * 86_400.0  # a token for ever is a mistake, e.g. `exp` in milliseconds

# Time is an argument here, so expiry is checked below; PyJWT would read the clock itself.
_OPTIONS: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "sub", "room"],
}


class _Claims(msgspec.Struct, frozen=True):
    """The claims that we read; others are left alone, so that newer tokens work with older servers."""

    sub: str
    room: str
    exp: float
    nbf: float = -math.inf
    name: str | None = None
    role: Role = Role.STUDENT
    publish: bool | Annotated[list[Source], msgspec.Meta(max_length=16)] | msgspec.UnsetType = msgspec.UNSET
    subscribe: bool | Annotated[list[str], msgspec.Meta(max_length=32)] = True
    audience: dict[Source, Annotated[list[Role], msgspec.Meta(max_length=8)]] = {}
    send: bool | msgspec.UnsetType = msgspec.UNSET
    moderate: bool | msgspec.UnsetType = msgspec.UNSET
    record: bool | msgspec.UnsetType = msgspec.UNSET
    hidden: bool = False


class TokenError(RequestError):
    """A token that opens nothing."""


def make_token(grants: Grants, *, key_id: str, secret: bytes, not_before: float | None = None) -> str:
    """Return the token for these grants, signed with the secret of an API key. Times are seconds since 1970, UTC."""
    claims: dict[str, Any] = {
        "sub": grants.identity,
        "room": grants.room,
        "exp": math.ceil(grants.expires_at),
        "publish": sorted(source.value for source in grants.publish),
        "subscribe": grants.subscribe,
        "role": grants.role.value,
        "send": grants.send,
        "moderate": grants.moderate,
        "record": grants.record,
    }
    if grants.hidden:
        claims["hidden"] = True
    if grants.subscribe and grants.sees is not None:
        claims["subscribe"] = sorted(f"{role.value}:{source.value}" for role, source in grants.sees)
    if grants.audience:
        audience = grants.audience.items()
        claims["audience"] = {source.value: sorted(role.value for role in roles) for source, roles in audience}
    if grants.name is not None:
        claims["name"] = grants.name
    if not_before is not None:
        claims["nbf"] = math.floor(not_before)
    token = jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": key_id})
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise ValueError(
            f"token is {len(token)} characters, more than the {TOKEN_CHARACTERS_MAX} that a server accepts"
        )
    return token


def check_token(token: str, keys: KeyStore, *, wallclock: float) -> Grants:
    """Return what the token grants, or raise TokenError. `wallclock` is seconds since 1970, UTC.

    The signature is compared in constant time (PyJWT: hmac.compare_digest) and before any claim is looked at.
    """
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token is longer than {TOKEN_CHARACTERS_MAX} characters")
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        key = _find_key(keys, key_id, wallclock)
        payload = verify(token, key, _OPTIONS)
    except jwt.InvalidSignatureError:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token's signature is not of key {key_id!r}") from None
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token is not usable: {_shorten(error)}") from None
    claims = _parse_claims(payload)
    _check_times(claims, wallclock)
    grants = replace(_parse_grants(claims), key_id=str(key_id))
    if not key.rooms.allows(grants.room):
        raise TokenError(ErrorCode.BAD_TOKEN, f"token's key {key_id!r} does not open this room")
    if grants.moderate and not key.moderates:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token's key {key_id!r} may not let anybody moderate")
    return grants


def verify(token: str, key: SigningKey, options: Options, *, audience: str | None = None) -> dict[str, Any]:
    """Return the claims if one of the key's secrets signed them, else raise what PyJWT raises.

    PyJWT refuses a token with an `aud` that is not `audience`: what was signed for another purpose opens nothing.
    """
    *earlier, last = key.secrets
    for secret in earlier:
        with contextlib.suppress(jwt.InvalidSignatureError):
            return jwt.decode(token, secret, algorithms=[ALGORITHM], options=options, audience=audience)
    return jwt.decode(token, last, algorithms=[ALGORITHM], options=options, audience=audience)


def _find_key(keys: KeyStore, key_id: object, wallclock: float) -> SigningKey:
    if not isinstance(key_id, str) or not key_id or len(key_id) > KEY_ID_CHARACTERS_MAX:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token's header needs a kid of 1 to {KEY_ID_CHARACTERS_MAX} characters")
    key = keys.signing_key(key_id, wallclock=wallclock)
    if key is None:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token's key {key_id!r} is not known here")
    return key


def _parse_claims(payload: Mapping[str, Any]) -> _Claims:
    try:
        return msgspec.convert(payload, _Claims)
    except msgspec.ValidationError as error:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token has a wrong claim: {_shorten(error)}") from None


def _check_times(claims: _Claims, wallclock: float) -> None:
    if not math.isfinite(claims.exp) or claims.exp > wallclock + LIFETIME_S_MAX:
        raise TokenError(ErrorCode.BAD_TOKEN, "token lives longer than a year (is exp in seconds since 1970?)")
    if wallclock >= claims.exp + LEEWAY_S:
        raise TokenError(ErrorCode.TOKEN_EXPIRED, f"token expired {wallclock - claims.exp:.0f} s ago")
    # Written so that a NaN, which JSON in Python lets in, does not pass.
    if not claims.nbf <= wallclock + LEEWAY_S:
        raise TokenError(ErrorCode.TOKEN_NOT_YET_VALID, f"token is valid in {claims.nbf - wallclock:.0f} s")


def _parse_grants(claims: _Claims) -> Grants:
    try:
        identity = check_text(claims.sub, what="claim sub", characters_max=IDENTITY_CHARACTERS_MAX)
        room = parse_room_name(claims.room)
        if claims.name is not None:
            check_text(claims.name, what="claim name", characters_max=DISPLAY_NAME_CHARACTERS_MAX)
        sees = None if isinstance(claims.subscribe, bool) else frozenset(_parse_sights(claims.subscribe))
    except ValueError as error:
        raise TokenError(ErrorCode.BAD_TOKEN, f"token has a wrong claim: {error}") from None
    leads = claims.role in (Role.TEACHER, Role.ASSISTANT)
    if isinstance(claims.publish, bool | msgspec.UnsetType):
        publish = ALL_SOURCES if _default(claims.publish, to=leads) else NO_SOURCES
    else:
        publish = frozenset(claims.publish)
    return Grants(
        room=room,
        identity=Identity(identity),
        expires_at=claims.exp,
        name=claims.name,
        publish=publish,
        subscribe=claims.subscribe is not False,
        hidden=claims.hidden,
        role=claims.role,
        sees=sees,
        audience={source: frozenset(roles) for source, roles in claims.audience.items()},
        send=_default(claims.send, to=claims.role is not Role.OBSERVER),
        moderate=_default(claims.moderate, to=leads),
        record=_default(claims.record, to=claims.role is Role.TEACHER),
    )


def _default(claim: bool | msgspec.UnsetType, *, to: bool) -> bool:
    return to if isinstance(claim, msgspec.UnsetType) else claim


def _parse_sights(texts: Sequence[str]) -> Iterator[tuple[Role, Source]]:
    """Read `role` (all its tracks) and `role:source`; raises ValueError."""
    for text in texts:
        role, _, source = text.partition(":")
        for each in [Source(source)] if source else Source:
            yield Role(role), each


def _shorten(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
