"""Access tokens: JSON Web Tokens (RFC 7519, HS256) that say who somebody is for a quarter of an hour. Pure.

They name person, organization and the count of the person's logins-out (`ver`): raising it ends them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import jwt

AUDIENCE: Final = "halqa-lms"
TOKEN_CHARACTERS_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    org_id: UUID
    user_id: UUID
    version: int
    login_id: UUID | None = None
    """The family of refresh tokens that it came with."""
    expires_at: datetime | None = None
    """Known of a token that was read."""


class BadTokenError(Exception):
    """A token that is not taken."""


def sign(claims: Claims, secret: str, *, now: datetime, lifetime_s: float) -> str:
    """Return the token."""
    issued = int(now.timestamp())
    content = {
        "aud": AUDIENCE,
        "org": str(claims.org_id),
        "sub": str(claims.user_id),
        "ver": claims.version,
        "iat": issued,
        "exp": issued + int(lifetime_s),
    }
    if claims.login_id is not None:
        content["fam"] = str(claims.login_id)
    return jwt.encode(content, secret, algorithm="HS256")


def verify(token: str, secrets: Sequence[str], *, now: datetime) -> Claims:
    """Return what a token says; raises BadTokenError for one that is wrong, old or somebody else's."""
    if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
        raise BadTokenError
    for secret in secrets:
        try:
            content = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "org", "ver"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            continue
        try:
            family = content.get("fam")
            claims = Claims(
                UUID(content["org"]),
                UUID(content["sub"]),
                int(content["ver"]),
                None if family is None else UUID(family),
                datetime.fromtimestamp(float(content["exp"]), UTC),
            )
            if now.timestamp() >= float(content["exp"]):
                raise BadTokenError
        except (TypeError, ValueError, AttributeError, OverflowError):
            raise BadTokenError from None
        return claims
    raise BadTokenError
