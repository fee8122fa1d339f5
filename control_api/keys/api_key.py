"""An API key as a value: its secrets, what it is for, which rooms, and from when to when."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from control_api.contract.scopes import Scope
from signaling.keys import check_key
from signaling.names import check_text
from signaling.room_pattern import EVERY_ROOM, RoomPattern

ALL_SCOPES: Final = frozenset(Scope)
SECRET_BYTES: Final = 32  # of randomness, as many as the hash of HS256 has
ID_BYTES: Final = 4  # an id is no secret; 2^32 of them keep two keys apart
NAME_CHARACTERS_MAX: Final = 128
EARLIER_SECRETS_MAX: Final = 2  # who rotates faster than programs follow ends the oldest
OVERLAP_S_MAX: Final = 90 * 86_400.0


@dataclass(frozen=True, slots=True)
class EarlierSecret:
    """A secret that was replaced, and lives on for those that have not heard of it."""

    secret: bytes = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key: its id goes into tokens, its secret signs them. Raises ValueError for what must not be used."""

    key_id: str
    secret: bytes = field(repr=False)
    """Text in ASCII, used as it stands."""
    name: str = ""
    """For people: which program has it."""
    scopes: frozenset[Scope] = ALL_SCOPES
    rooms: RoomPattern = EVERY_ROOM
    created_at: datetime | None = None
    expires_at: datetime | None = None
    """None: when it is revoked."""
    revoked_at: datetime | None = None
    earlier: tuple[EarlierSecret, ...] = ()
    """Newest first."""

    def __post_init__(self) -> None:
        for secret in (self.secret, *(each.secret for each in self.earlier)):
            check_key(self.key_id, secret)
        if self.name:
            check_text(self.name, what="name of a key", characters_max=NAME_CHARACTERS_MAX)

    def is_usable(self, at: datetime) -> bool:
        """Return whether it opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def secrets_at(self, at: datetime) -> tuple[bytes, ...]:
        """Return the secrets that count at this time, the current one first; none of a key that ended."""
        if not self.is_usable(at):
            return ()
        return (self.secret, *(each.secret for each in self.earlier if at < each.until))

    def rotated(self, *, at: datetime, overlap_s: float) -> ApiKey:
        """Return it with a new secret; the present one lives on for `overlap_s`. Raises ValueError."""
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise ValueError(f"an overlap of {overlap_s:g} s is not possible, expected 0 to {OVERLAP_S_MAX:.0f}")
        if not self.is_usable(at):
            raise ValueError(f"key {self.key_id!r} has ended; create another")
        before = EarlierSecret(self.secret, at + timedelta(seconds=overlap_s))
        living = [each for each in (before, *self.earlier) if at < each.until]
        return replace(self, secret=new_secret(), earlier=tuple(living[:EARLIER_SECRETS_MAX]))

    def revoked(self, *, at: datetime) -> ApiKey:
        """Return it without any use; the first revocation counts."""
        return self if self.revoked_at is not None else replace(self, revoked_at=at, earlier=())


def make_api_key(
    *,
    at: datetime,
    name: str = "",
    scopes: Iterable[Scope] = ALL_SCOPES,
    rooms: RoomPattern = EVERY_ROOM,
    lifetime_s: float | None = None,
) -> ApiKey:
    """Return a new key with an id and a secret of its own; raises ValueError."""
    if lifetime_s is not None and not 0 < lifetime_s < timedelta.max.total_seconds() / 1e3:
        raise ValueError(f"a key for {lifetime_s:g} s is not possible")
    return ApiKey(
        key_id=f"key-{secrets.token_hex(ID_BYTES)}",
        secret=new_secret(),
        name=name,
        scopes=frozenset(scopes),
        rooms=rooms,
        created_at=at,
        expires_at=None if lifetime_s is None else at + timedelta(seconds=lifetime_s),
    )


def parse_scope(text: str) -> Scope:
    """Return the scope, or raise ValueError with those that there are."""
    try:
        return Scope(text)
    except ValueError:
        known = ", ".join(scope.value for scope in Scope)
        raise ValueError(f"scope {text[:64]!r} is not known; there are {known}") from None


def new_secret() -> bytes:
    """Return a secret of 256 random bits, as text."""
    return secrets.token_urlsafe(SECRET_BYTES).encode()


def moment(wallclock: float) -> datetime:
    """Return seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(wallclock, UTC)
