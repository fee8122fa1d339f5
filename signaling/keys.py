"""The secrets that sign tokens, found by the id of their API key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

SECRET_BYTES_MIN: Final = 32
"""HS256 keys are at least as long as the hash (RFC 7518 section 3.2)."""

KEY_ID_CHARACTERS_MAX: Final = 64


class KeyStore(Protocol):
    """Where the secret of an API key is looked up; asked anew for each token, so keys may come and go."""

    def secret(self, key_id: str) -> bytes | None:
        """Return the secret, or None if there is no such key (any more)."""


class StaticKeys:
    """Keys that are all known at start."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        """Raise ValueError for a key id or secret that must not be used; the message does not show the secret."""
        for key_id, secret in secrets.items():
            if not key_id or len(key_id) > KEY_ID_CHARACTERS_MAX or not key_id.isprintable():
                raise ValueError(f"key id {key_id!r} must be 1 to {KEY_ID_CHARACTERS_MAX} printable characters")
            if len(secret) < SECRET_BYTES_MIN:
                raise ValueError(
                    f"secret of key {key_id!r} is {len(secret)} bytes, expected {SECRET_BYTES_MIN} or more"
                )
        self._secrets = dict(secrets)

    def secret(self, key_id: str) -> bytes | None:
        return self._secrets.get(key_id)
