"""Secrets of webhooks as Standard Webhooks writes them: `whsec_` and base64 of the key. Pure."""

from __future__ import annotations

import base64
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - Standard Webhooks writes secrets so
SECRET_BYTES_MIN: Final = 24  # as Standard Webhooks has it
SECRET_BYTES_MAX: Final = 64


def encode_secret(key: bytes) -> str:
    """Return how a receiver is told a key."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def decode_secret(secret: str) -> bytes:
    """Return the key of a secret; raises ValueError."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a secret begins with {SECRET_PREFIX}")
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
