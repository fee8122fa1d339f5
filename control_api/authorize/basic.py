"""HTTP Basic (RFC 7617): an API key's id as the user, its secret as the password. For programs behind TLS."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable


def parse_basic(header: str) -> tuple[str, bytes] | None:
    """Return user and password of an `Authorization: Basic` header, or None."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(credentials.strip(), validate=True).partition(b":")
        return (user.decode(), password) if colon else None
    except ValueError:
        return None


def is_one_of(password: bytes, secrets: Iterable[bytes]) -> bool:
    """Return whether the password is one of the secrets, in a time that tells nothing about them.

    With no secret at all it is compared all the same, so that time does not tell which keys there are.
    """
    known = tuple(secrets)
    same = [hmac.compare_digest(secret, password) for secret in known or (b"",)]
    return any(same) and bool(known)
