"""Acts on the outbox's mails with links: reads what is to be said, signs the link, and sends it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select

from lms.access.links import link_token
from lms.access.tables import LinkKind, mailed_link
from lms.api.languages import Language
from lms.database.database import Database
from lms.mail.mailer import Mail, Mailer
from lms.mail.texts import write_mail
from lms.organizations.tables import organization
from lms.outbox.relay import Message
from lms.people.tables import app_user

PAGES: Final = {
    LinkKind.INVITATION: "/set-password",
    LinkKind.RESET: "/set-password",
    LinkKind.VERIFICATION: "/verify-email",
}
"""Of the web application; the token stands behind `#`, where no server's log sees it."""


class LinkMails:
    """The consumer of `mail.link`."""

    def __init__(self, database: Database, mailer: Mailer, secret: str, url: str) -> None:
        self._database = database
        self._mailer = mailer
        self._secret = secret
        self._url = url

    async def consume(self, message: Message) -> None:
        """Send one mail; nothing if the link was replaced or used meanwhile."""
        link_id = UUID(message.payload["link_id"])
        async with self._database.read(message.org_id) as transaction:
            row = await transaction.first(
                select(
                    mailed_link,
                    app_user.c.display_name,
                    app_user.c.code,
                    app_user.c.language.label("of_user"),
                    organization.c.name.label("school"),
                    organization.c.language.label("of_school"),
                )
                .join(app_user, (app_user.c.org_id == mailed_link.c.org_id) & (app_user.c.id == mailed_link.c.user_id))
                .join(organization, organization.c.id == mailed_link.c.org_id)
                .where(mailed_link.c.org_id == message.org_id, mailed_link.c.id == link_id)
            )
            now = transaction.now
        if row is None or row.used_at is not None or row.expires_at <= now:
            return
        language = Language(row.of_user or row.of_school)
        token = link_token(message.org_id, link_id, self._secret)
        words = {
            "name": row.display_name,
            "code": row.code,
            "school": row.school,
            "until": f"{row.expires_at:%Y-%m-%d %H:%M}",
            "link": f"{self._url}{PAGES[row.kind]}#token={token}",
        }
        subject, text = write_mail(row.kind, language, words)
        await self._mailer.send(Mail(link_id, row.email, subject, text, language.value))
