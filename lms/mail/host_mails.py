"""Mails to those who can mend it: DNS has not held the proof of one of their addresses for days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select

from lms.api.languages import Language
from lms.database.database import Database
from lms.mail.mailer import Mail, Mailer
from lms.organizations.challenge import record_name
from lms.organizations.tables import org_host, organization
from lms.outbox.relay import Message
from lms.people.tables import app_user

_TEXTS: Final[Mapping[Language, tuple[str, str]]] = {
    Language.ENGLISH: (
        "{school}: the DNS record of {host} is missing",
        (
            "Hello {name},\n\nthe record that proves that {host} belongs to {school} has been missing in DNS since "
            "{since} (UTC).\nThe address still leads to {school}. Make the record anew, or somebody else who proves "
            "the address may get it in {days} days:\n\n  name   {record}\n  type   TXT\n  value  {value}\n\n"
            "If {host} is not yours any more, remove it from your addresses.\n"
        ),
    ),
    Language.ARABIC: (
        "{school}: سجل DNS للعنوان {host} مفقود",
        (
            "مرحبًا {name}،\n\nالسجل الذي يثبت أن {host} يخص {school} مفقود في DNS منذ {since} (التوقيت العالمي).\n"
            "ما زال العنوان يقود إلى {school}. أنشئ السجل من جديد، وإلا فقد يحصل عليه بعد {days} يومًا من يثبت أنه له:"
            "\n\n  {record}\n  TXT\n  {value}\n\nإذا لم يعد {host} لكم فاحذفه من عناوينكم.\n"
        ),
    ),
}


class HostMails:
    """The consumer of `mail.host`, one message for each who is to know."""

    def __init__(self, database: Database, mailer: Mailer, free_after_days: int) -> None:
        self._database = database
        self._mailer = mailer
        self._free_after_days = free_after_days

    async def consume(self, message: Message) -> None:
        """Send one mail; none if the proof is there again, or nobody reads mails of theirs."""
        user_id, host = UUID(message.payload["user_id"]), str(message.payload["host"])
        async with self._database.read(message.org_id) as transaction:
            row = await transaction.first(
                select(
                    org_host.c.token,
                    org_host.c.missing_since,
                    app_user.c.email,
                    app_user.c.display_name,
                    app_user.c.language.label("of_user"),
                    organization.c.name.label("school"),
                    organization.c.language.label("of_school"),
                )
                .join(organization, organization.c.id == org_host.c.org_id)
                .join(app_user, app_user.c.org_id == org_host.c.org_id)
                .where(
                    org_host.c.org_id == message.org_id,
                    org_host.c.host == host,
                    org_host.c.missing_since.is_not(None),
                    app_user.c.id == user_id,
                    app_user.c.email.is_not(None),
                    app_user.c.deleted_at.is_(None),
                )
            )
            now = transaction.now
        if row is None:
            return
        language = Language(row.of_user or row.of_school)
        words = {
            "name": row.display_name,
            "school": row.school,
            "host": host,
            "since": f"{row.missing_since:%Y-%m-%d %H:%M}",
            "days": str(max(0, self._free_after_days - (now - row.missing_since).days)),
            "record": record_name(host),
            "value": row.token,
        }
        plain = {name: " ".join(text.split()) for name, text in words.items()}
        subject, text = _TEXTS[language]
        mail = Mail(
            uuid5(message.id, "mail"), row.email, subject.format_map(plain), text.format_map(plain), language.value
        )
        await self._mailer.send(mail)
