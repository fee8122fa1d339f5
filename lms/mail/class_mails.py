"""Mails about live classes: one message of the outbox becomes one for each recipient, and each of these one mail.

So one address that does not take its mail holds up nobody else, and nobody is mailed again because of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import Row, or_, select

from lms.api.languages import Language
from lms.classes.calendar.feed import build_calendar
from lms.classes.calendar.zones import ZoneError, find_zone
from lms.classes.calendars import calendar_class
from lms.classes.status import ClassStatus
from lms.classes.tables import InviteStatus, class_invite, live_class
from lms.courses.rules import CourseRole
from lms.courses.store import counts
from lms.courses.tables import enrolment, group_member
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.mail.class_texts import Occasion, write_class_mail
from lms.mail.mailer import Mail, Mailer
from lms.organizations.tables import organization
from lms.outbox.relay import Message, Relay
from lms.outbox.send import Outbox
from lms.people.tables import UserStatus, app_user

TOPIC: Final = "mail.class"
OCCASIONS: Final = {
    "class.invited": Occasion.INVITED,
    "class.changed": Occasion.CHANGED,
    "class.cancelled": Occasion.CANCELLED,
    "series.cancelled": Occasion.SERIES_CANCELLED,
}
TOLD_CHANGES: Final = frozenset({"title", "starts_at", "ends_at", "time_zone", "group_id"})
"""Of a class that was changed; other changes are seen when one joins."""
_OVER: Final = frozenset({ClassStatus.CANCELLED, ClassStatus.ENDED})


class ClassMails:
    """Acts on what is told of live classes."""

    def __init__(self, database: Database, outbox: Outbox, mailer: Mailer, url: str) -> None:
        self._database = database
        self._outbox = outbox
        self._mailer = mailer
        self._url = url

    def listen(self, relay: Relay) -> None:
        """Be told of what mails are about."""
        for topic in OCCASIONS:
            relay.on(topic, self.divide)
        relay.on(TOPIC, self.send)

    async def divide(self, message: Message) -> None:
        """Have everybody mailed whom a message concerns, unless the organization wants no such mails."""
        occasion, told = OCCASIONS[message.topic], message.payload
        if occasion is Occasion.CHANGED and not TOLD_CHANGES & set(told.get("changed", ())):
            return
        async with self._database.write(message.org_id) as transaction:
            settings = await transaction.value(
                select(organization.c.settings).where(organization.c.id == message.org_id)
            )
            if not settings.get("mail_classes", True):
                return
            classes = await _classes(transaction, told, message.created_at)
            if occasion is Occasion.INVITED:
                people: Iterable[UUID] = (UUID(each) for each in told["user_ids"])
            else:
                people = await _concerned(transaction, classes)
            of: dict[str, Any] = {name: told[name] for name in ("class_id", "series_id") if name in told}
            for user_id in people:
                payload = {"occasion": occasion.value, "user_id": str(user_id), "since": message.created_at, **of}
                key = f"{user_id}/{message.key}"
                await self._outbox.send(transaction, TOPIC, key=key, payload=_plain(payload))

    async def send(self, message: Message) -> None:
        """Send one mail, of what is true now; none to who has left, or about what is over."""
        told = message.payload
        occasion = Occasion(told["occasion"])
        async with self._database.read(message.org_id) as transaction:
            person = await _recipient(transaction, UUID(told["user_id"]))
            classes = await _classes(transaction, told, datetime.fromisoformat(told["since"]))
        if person is None or not classes:
            return
        is_cancellation = occasion in {Occasion.CANCELLED, Occasion.SERIES_CANCELLED}
        if not is_cancellation and classes[0].status in _OVER:
            return
        language = Language(person.of_user or person.of_school)
        first = classes[0]
        words = {
            "name": person.display_name,
            "school": person.school,
            "title": first.title,
            "when": _when(first, person.time_zone),
            "link": f"{self._url}/",
            "reason": first.cancel_reason or "",
        }
        subject, text = write_class_mail(occasion, language, words)
        calendar = build_calendar(first.title, [calendar_class(each) for each in classes])
        mail_id = uuid5(message.id, "mail")
        await self._mailer.send(Mail(mail_id, person.email, subject, text, language.value, calendar))


def _plain(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in payload.items()}


def _when(of: Row[Any], zone_name: str | None) -> str:
    """Return the time of a class on the recipient's clock, else on that of the class."""
    try:
        zone = find_zone(zone_name or of.time_zone)
    except ZoneError:
        zone = ZoneInfo("UTC")
    start, end = of.starts_at.astimezone(zone), of.ends_at.astimezone(zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} - {until} ({zone.key})"


async def _classes(transaction: Transaction, told: dict[str, Any], since: datetime) -> Sequence[Row[Any]]:
    """Return what is told of: a class, or what was cancelled of a series."""
    own = select(live_class).where(live_class.c.org_id == transaction.org_id)
    if "series_id" in told:
        cancelled = own.where(
            live_class.c.series_id == UUID(told["series_id"]),
            live_class.c.status == ClassStatus.CANCELLED,
            live_class.c.starts_at > since,
        )
        return await transaction.rows(cancelled.order_by(live_class.c.starts_at, live_class.c.id))
    return await transaction.rows(own.where(live_class.c.id == UUID(told["class_id"])))


async def _concerned(transaction: Transaction, classes: Sequence[Row[Any]]) -> list[UUID]:
    """Return who expects these classes: invited, and not declined; or in the course or its group. Not the host."""
    found: dict[UUID, None] = {}
    rows = await transaction.rows(
        select(class_invite.c.user_id)
        .where(
            class_invite.c.org_id == transaction.org_id,
            class_invite.c.class_id.in_([each.id for each in classes]),
            class_invite.c.status != InviteStatus.DECLINED,
        )
        .order_by(class_invite.c.user_id)
    )
    found |= dict.fromkeys(row.user_id for row in rows)
    hosts = {each.host_id for each in classes}
    for course_id, group_id in {
        (each.course_id, each.group_id) for each in classes if each.course_id is not None and not each.invited_only
    }:
        statement = select(enrolment.c.user_id).where(
            enrolment.c.org_id == transaction.org_id,
            enrolment.c.course_id == course_id,
            enrolment.c.role != CourseRole.OBSERVER,
            counts(transaction.now),
        )
        if group_id is not None:
            members = select(group_member.c.user_id).where(
                group_member.c.org_id == transaction.org_id, group_member.c.group_id == group_id
            )
            statement = statement.where(or_(enrolment.c.role != CourseRole.STUDENT, enrolment.c.user_id.in_(members)))
        found |= dict.fromkeys(row.user_id for row in await transaction.rows(statement.order_by(enrolment.c.user_id)))
    return [user_id for user_id in found if user_id not in hosts]


async def _recipient(transaction: Transaction, user_id: UUID) -> Row[Any] | None:
    """Return somebody who can be mailed, with the names that a mail needs."""
    return await transaction.first(
        select(
            app_user.c.email,
            app_user.c.display_name,
            app_user.c.time_zone,
            app_user.c.language.label("of_user"),
            organization.c.name.label("school"),
            organization.c.language.label("of_school"),
        )
        .join(organization, organization.c.id == app_user.c.org_id)
        .where(
            app_user.c.org_id == transaction.org_id,
            app_user.c.id == user_id,
            app_user.c.email.is_not(None),
            app_user.c.deleted_at.is_(None),
            app_user.c.status.in_((UserStatus.ACTIVE, UserStatus.INACTIVE)),
        )
    )
