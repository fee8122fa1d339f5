"""Links in mails that work once: invitation, new password, verified address.

The token is the id of a row and a signature, so that nothing kept in the database, the outbox or its backups opens an
account by itself. A newer link of a kind takes the place of the older ones.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from lms.access.logins import seal, unseal
from lms.access.passwords_settings import PasswordSettings
from lms.access.problems import BAD_LINK
from lms.access.tables import LinkKind, mailed_link
from lms.api.problems import ProblemError
from lms.database.transaction import Transaction
from lms.outbox.send import Outbox

TOPIC: Final = "mail.link"
_PURPOSE: Final = "mailed link"
KEPT: Final = timedelta(days=30)  # after they expired, for who asks what was mailed


async def send_link(
    transaction: Transaction,
    outbox: Outbox,
    link_id: UUID,
    user_id: UUID,
    kind: LinkKind,
    email: str,
    settings: PasswordSettings,
    *,
    by: UUID | None = None,
) -> None:
    """Have a link mailed to somebody; earlier ones of its kind no longer work."""
    await transaction.execute(
        update(mailed_link)
        .where(
            mailed_link.c.org_id == transaction.org_id,
            mailed_link.c.user_id == user_id,
            mailed_link.c.kind == kind,
            mailed_link.c.used_at.is_(None),
        )
        .values(used_at=transaction.now)
    )
    lifetime_s = settings.reset_s if kind is LinkKind.RESET else settings.invitation_s
    await transaction.execute(
        insert(mailed_link).values(
            org_id=transaction.org_id,
            id=link_id,
            user_id=user_id,
            kind=kind,
            email=email,
            created_by=by,
            created_at=transaction.now,
            expires_at=transaction.now + timedelta(seconds=lifetime_s),
        )
    )
    await outbox.send(transaction, TOPIC, key=str(user_id), payload={"link_id": str(link_id)})


def link_token(org_id: UUID, link_id: UUID, secret: str) -> str:
    """Return what stands in the link."""
    return seal(_PURPOSE, f"{org_id.hex}.{link_id.hex}", secret)


def read_link_token(token: str, keys: tuple[str, ...]) -> tuple[UUID, UUID]:
    """Return the organization and the link; raises ProblemError (`bad_link`)."""
    text = unseal(_PURPOSE, token, keys)
    if text is None:
        raise ProblemError(BAD_LINK, field="token", rule="signature")
    org_text, _, link_text = text.partition(".")
    return UUID(hex=org_text), UUID(hex=link_text)


async def use_link(transaction: Transaction, link_id: UUID, kinds: tuple[LinkKind, ...]) -> Row[Any]:
    """Use up a link and return its row; raises ProblemError (`bad_link`)."""
    row = await look_at_link(transaction, link_id, kinds)
    await transaction.execute(
        update(mailed_link)
        .where(mailed_link.c.org_id == transaction.org_id, mailed_link.c.id == link_id)
        .values(used_at=transaction.now)
    )
    return row


async def look_at_link(transaction: Transaction, link_id: UUID, kinds: tuple[LinkKind, ...]) -> Row[Any]:
    """Return the row of a link that may still be used; raises ProblemError (`bad_link`)."""
    row = await transaction.first(
        select(mailed_link)
        .where(mailed_link.c.org_id == transaction.org_id, mailed_link.c.id == link_id)
        .with_for_update()
    )
    if row is None or row.kind not in kinds or row.used_at is not None or transaction.now >= row.expires_at:
        raise ProblemError(BAD_LINK, field="token", rule="once")
    return row


async def forget_old(transaction: Transaction) -> int:
    """Delete links that expired long ago and return how many; a job of the whole service."""
    done = await transaction.execute(delete(mailed_link).where(mailed_link.c.expires_at < transaction.now - KEPT))
    return done.rowcount
