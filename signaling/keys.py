"""The secrets that sign tokens, found by the id of their API key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from signaling.room_pattern import EVERY_ROOM, RoomPattern

SECRET_BYTES_MIN: Final = 32
"""HS256 keys are at least as long as the hash (RFC 7518 section 3.2)."""

KEY_ID_CHARACTERS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What a token is checked against that names an API key."""

    secrets: tuple[bytes, ...] = field(repr=False)
    """Each of them signs: after a rotation the earlier one lives on for a while. Not empty."""
    rooms: RoomPattern = EVERY_ROOM
    """A token for any other room opens nothing, whoever signed it."""
    moderates: bool = True
    """Whether its tokens may let people moderate."""


class KeyStore(Protocol):
    """Where the secret of an API key is looked up; asked anew for each token, so keys may come and go."""

    def signing_key(self, key_id: str, *, wallclock: float) -> SigningKey | None:
        """Return the key if there is one that may sign tokens now (seconds since 1970, UTC), else None."""


class StaticKeys:
    """Keys that are all known at start and open every room."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        """Raise ValueError for a key id or secret that must not be used; the message does not show the secret."""
        for key_id, secret in secrets.items():
            check_key(key_id, secret)
        self._keys = {key_id: SigningKey((secret,)) for key_id, secret in secrets.items()}

    def signing_key(self, key_id: str, *, wallclock: float) -> SigningKey | None:  # noqa: ARG002 - they never end
        return self._keys.get(key_id)


def check_key(key_id: str, secret: bytes) -> None:
    """Raise ValueError for a key id or secret that must not be used; the message does not show the secret."""
    if not key_id or len(key_id) > KEY_ID_CHARACTERS_MAX or not key_id.isprintable():
        raise ValueError(f"key id {key_id!r} must be 1 to {KEY_ID_CHARACTERS_MAX} printable characters")
    if len(secret) < SECRET_BYTES_MIN:
        raise ValueError(f"secret of key {key_id!r} is {len(secret)} bytes, expected {SECRET_BYTES_MIN} or more")
