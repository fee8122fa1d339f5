"""Logins: from a password to tokens, tokens renewed by refresh tokens, and stolen ones found out.

A login is a family of refresh tokens. Each is good for one renewal, and for others within the grace that follows,
because ten tabs of one browser wake up at once with the same one. One that comes later was copied: the family ends.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from lms.access.settings import TokenSettings
from lms.access.tables import login, refresh_token
from lms.database.transaction import Transaction

USER_AGENT_CHARACTERS_MAX: Final = 300
TOKEN_BYTES: Final = 32
KEPT_AFTER_END: Final = timedelta(days=30)  # for who asks where somebody was logged in


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a refresh token brought."""

    login_id: UUID
    user_id: UUID
    by_cookie: bool
    refresh: str
    """The next one."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """A refresh token that was used before, too long ago to be another tab: the login is ended now."""

    login_id: UUID
    user_id: UUID


async def begin_login(
    transaction: Transaction,
    login_id: UUID,
    user_id: UUID,
    settings: TokenSettings,
    *,
    by_cookie: bool,
    address: str | None,
    user_agent: str | None,
) -> str:
    """Note a login and return its first refresh token."""
    await transaction.execute(
        insert(login).values(
            org_id=transaction.org_id,
            id=login_id,
            user_id=user_id,
            by_cookie=by_cookie,
            address=address,
            user_agent=None if user_agent is None else user_agent[:USER_AGENT_CHARACTERS_MAX],
            created_at=transaction.now,
            used_at=transaction.now,
            expires_at=transaction.now + timedelta(seconds=settings.login_s),
        )
    )
    return await _make_token(transaction, login_id, settings, transaction.now + timedelta(seconds=settings.login_s))


async def renew(transaction: Transaction, refresh: str, settings: TokenSettings) -> Renewal | Reuse | None:
    """Use a refresh token; None for one that is unknown, too old or of a login that ended."""
    row = await transaction.first(
        select(
            refresh_token.c.used_at,
            refresh_token.c.expires_at,
            login.c.id,
            login.c.user_id,
            login.c.by_cookie,
            login.c.ended_at,
            login.c.expires_at.label("login_expires_at"),
        )
        .join(login, (login.c.org_id == refresh_token.c.org_id) & (login.c.id == refresh_token.c.login_id))
        .where(refresh_token.c.org_id == transaction.org_id, refresh_token.c.hash == _hash(refresh))
        .with_for_update()
    )
    now = transaction.now
    if row is None or row.ended_at is not None or now >= min(row.expires_at, row.login_expires_at):
        return None
    if row.used_at is not None and now > row.used_at + timedelta(seconds=settings.grace_s):
        await end_logins(transaction, row.user_id, "reuse", only=row.id)
        return Reuse(row.id, row.user_id)
    if row.used_at is None:
        await transaction.execute(
            update(refresh_token)
            .where(refresh_token.c.org_id == transaction.org_id, refresh_token.c.hash == _hash(refresh))
            .values(used_at=now)
        )
    await transaction.execute(
        update(login).where(login.c.org_id == transaction.org_id, login.c.id == row.id).values(used_at=now)
    )
    following = await _make_token(transaction, row.id, settings, row.login_expires_at)
    return Renewal(row.id, row.user_id, row.by_cookie, following)


async def login_of(transaction: Transaction, refresh: str) -> Row[Any] | None:
    """Return the login (`id`, `user_id`) that a refresh token is of, whether it still holds or not."""
    return await transaction.first(
        select(login.c.id, login.c.user_id)
        .join(refresh_token, (login.c.org_id == refresh_token.c.org_id) & (login.c.id == refresh_token.c.login_id))
        .where(refresh_token.c.org_id == transaction.org_id, refresh_token.c.hash == _hash(refresh))
    )


async def end_logins(
    transaction: Transaction, user_id: UUID, because: str, *, only: UUID | None = None, but: UUID | None = None
) -> int:
    """End the logins of somebody, or one of them, or all but one; return how many that were."""
    chosen = [login.c.org_id == transaction.org_id, login.c.user_id == user_id, login.c.ended_at.is_(None)]
    if only is not None:
        chosen.append(login.c.id == only)
    if but is not None:
        chosen.append(login.c.id != but)
    done = await transaction.execute(
        update(login).where(*chosen).values(ended_at=transaction.now, ended_because=because)
    )
    return done.rowcount


async def forget_old(transaction: Transaction) -> int:
    """Delete logins that ended a month ago, with their tokens, and return how many; a job of the whole service."""
    oldest = transaction.now - KEPT_AFTER_END
    done = await transaction.execute(delete(login).where((login.c.expires_at < oldest) | (login.c.ended_at < oldest)))
    await transaction.execute(delete(refresh_token).where(refresh_token.c.expires_at < transaction.now))
    return done.rowcount


async def _make_token(transaction: Transaction, login_id: UUID, settings: TokenSettings, most: datetime) -> str:
    made = f"{transaction.org_id.hex}.{secrets.token_urlsafe(TOKEN_BYTES)}"
    await transaction.execute(
        insert(refresh_token).values(
            org_id=transaction.org_id,
            hash=_hash(made),
            login_id=login_id,
            created_at=transaction.now,
            expires_at=min(most, transaction.now + timedelta(seconds=settings.refresh_s)),
        )
    )
    return made


def organization_of(token: str) -> UUID | None:
    """Return the organization that a refresh token, or the token of a link, says it is of; None for no token."""
    try:
        return UUID(hex=token.partition(".")[0])
    except ValueError:
        return None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def seal(purpose: str, text: str, secret: str) -> str:
    """Return a text with a signature behind it; `purpose` keeps what was made for one thing from another."""
    return f"{text}.{_signature(purpose, text, secret)}"


def unseal(purpose: str, sealed: str, keys: tuple[str, ...]) -> str | None:
    """Return the text of what `seal` made, None if it did not."""
    text, _, signature = sealed.rpartition(".")
    good = [key for key in keys if hmac.compare_digest(_signature(purpose, text, key).encode(), signature.encode())]
    return text if good else None


def _signature(purpose: str, text: str, secret: str) -> str:
    return hmac.new(secret.encode(), f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()
