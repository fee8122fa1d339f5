"""The key file's content: JSON to keys and back, and the plain form of earlier servers, `{"key id": "secret"}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from control_api.contract.scopes import Scope
from control_api.keys.api_key import ApiKey, EarlierSecret
from signaling.room_pattern import RoomPattern

KEYS_MAX: Final = 1000
"""Of one server, those that ended and are still listed included."""


class _Earlier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    secret: str
    until: datetime


class _Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An unknown field is refused: it might be a limit that this server would not keep."""

    id: str
    secret: str
    name: str = ""
    scopes: list[Scope]
    rooms: str = "*"
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    earlier: list[_Earlier] = []


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keys: list[_Key]


def parse_keys(content: bytes) -> dict[str, ApiKey]:
    """Return the keys by id, in the order of the file; raises ValueError with a sentence that shows no secret."""
    try:
        plain = msgspec.json.decode(content, type=dict[str, object])
        if isinstance(plain.get("keys"), list):
            keys = [_key_of(each) for each in msgspec.convert(plain, _Document).keys]
        else:
            keys = [ApiKey(key_id, msgspec.convert(secret, str).encode()) for key_id, secret in plain.items()]
    except msgspec.DecodeError as error:
        raise ValueError(f'it is not of the form {{"keys": [...]}}: {error}') from None
    if not keys:
        raise ValueError("it holds no key; remove it to have one made")
    if len(keys) > KEYS_MAX:
        raise ValueError(f"it holds {len(keys)} keys, expected {KEYS_MAX} or less")
    found = {key.key_id: key for key in keys}
    if len(found) < len(keys):
        raise ValueError("two keys have the same id")
    return found


def build_keys(keys: Mapping[str, ApiKey]) -> bytes:
    """Return the content of the file."""
    document = _Document(keys=[_struct_of(key) for key in _bounded(keys.values())])
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _bounded(keys: Iterable[ApiKey]) -> list[ApiKey]:
    """Leave out the oldest of those that were revoked, as far as there is no room for them."""
    kept = list(keys)
    while len(kept) > KEYS_MAX:
        oldest = next((key for key in kept if key.revoked_at is not None), None)
        if oldest is None:
            raise ValueError(f"there are {KEYS_MAX} keys already; revoke some")
        kept.remove(oldest)
    return kept


def _key_of(each: _Key) -> ApiKey:
    for time in (each.created_at, each.expires_at, each.revoked_at, *(earlier.until for earlier in each.earlier)):
        if time is not None and time.tzinfo is None:
            raise ValueError(
                f"time {time.isoformat()} of key {each.id!r} has no time zone, expected e.g. a Z at its end"
            )
    return ApiKey(
        key_id=each.id,
        secret=each.secret.encode(),
        name=each.name,
        scopes=frozenset(each.scopes),
        rooms=RoomPattern(each.rooms),
        created_at=each.created_at,
        expires_at=each.expires_at,
        revoked_at=each.revoked_at,
        earlier=tuple(EarlierSecret(earlier.secret.encode(), earlier.until) for earlier in each.earlier),
    )


def _struct_of(key: ApiKey) -> _Key:
    return _Key(
        id=key.key_id,
        secret=key.secret.decode(),
        name=key.name,
        scopes=sorted(key.scopes, key=lambda scope: scope.value),
        rooms=key.rooms.text,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        earlier=[_Earlier(secret=each.secret.decode(), until=each.until) for each in key.earlier],
    )
