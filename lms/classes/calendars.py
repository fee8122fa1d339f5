"""/api/v1/calendars: somebody's classes for the programs that they keep their days in.

Such programs can ask for an address and nothing else: they send no header, and no cookie. So the address itself is what
opens a calendar: 256 bits of chance in its path, kept as a hash, one for each program, and taken away alone. What it
opens is small: when somebody's classes are, and what they are called; no room, token or other person. It says nothing
once the person's account is not in use.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, func, insert, or_, select, update

from lms.access.roles import Permission, permissions_of
from lms.access.standing import Standing, read_standing
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, File, Nothing, Open, Reply, Result, Use
from lms.api.phrases import same
from lms.api.problems import NOT_FOUND, ProblemError, not_found
from lms.audit.record import record
from lms.classes.calendar.feed import MEDIA_TYPE, CalendarClass, build_calendar
from lms.classes.calendar.zones import ZoneError, find_zone
from lms.classes.messages import CalendarFilePath, CalendarPath, CalendarView, CreateCalendar
from lms.classes.planning import TAG
from lms.classes.problems import CALENDARS_MAX, THE_CALENDAR
from lms.classes.status import ClassStatus
from lms.classes.store import seen_by
from lms.classes.tables import calendar_feed, class_invite, live_class
from lms.courses.store import tied_courses
from lms.database.transaction import Transaction
from lms.parts import Parts

PATH: Final = "/api/v1/calendars"
FEEDS_MAX: Final = 20
"""Of one person."""
BACK: Final = timedelta(days=60)
AHEAD: Final = timedelta(days=400)
CLASSES_MAX: Final = 2000
"""Some 1 MB of text."""
READ_NOTED: Final = timedelta(days=1)
"""`read_at` is written no more often: programs ask every few minutes."""


class CalendarEndpoints:
    """Calendars of the person who asks, and their text."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_calendars", method="GET", path=PATH, summary="List your calendars", tag=TAG,
                access=Permission.CLASSES_READ,
                answers={200: Reply(f"All; at most {FEEDS_MAX}.", list[CalendarView])}, run=self._list,
            ),
            Endpoint(
                operation="create_calendar", method="POST", path=PATH, summary="Make a calendar of your classes",
                description="Its address is told this once. Whoever knows it can read it: give it to one program.",
                tag=TAG, access=Permission.CLASSES_READ, body=CreateCalendar,
                answers={201: Reply("The calendar, with its address.", CalendarView)}, problems=(CALENDARS_MAX,),
                run=self._create,
            ),
            Endpoint(
                operation="delete_calendar", method="DELETE", path=f"{PATH}/{{calendar_id}}",
                summary="Take a calendar away", description="Its address opens nothing from now on.", tag=TAG,
                access=Permission.CLASSES_READ, parameters=CalendarPath, answers={204: Reply("Gone.")},
                problems=(NOT_FOUND,), run=self._delete,
            ),
            Endpoint(
                operation="read_calendar", method="GET", path=f"{PATH}/{{secret}}.ics", summary="Read a calendar",
                description="iCalendar (RFC 5545), for programs. Classes of the last 60 and the next 400 days.",
                tag=TAG, access=Open.ANYBODY, parameters=CalendarFilePath,
                answers={200: Reply("The calendar.", media_type="text/calendar")}, problems=(NOT_FOUND,), use=Use.OWN,
                run=self._read,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        rows = await call.transaction.rows(_own(call).order_by(calendar_feed.c.created_at, calendar_feed.c.id))
        return Result([_view(row) for row in rows])

    async def _create(self, call: Call[Nothing, Nothing, CreateCalendar]) -> Result:
        transaction, caller = call.transaction, call.caller
        there = await transaction.value(select(func.count()).select_from(_own(call).subquery()))
        if there >= FEEDS_MAX:
            raise ProblemError(CALENDARS_MAX, value=there, expected=same(FEEDS_MAX), rule="count")
        secret, calendar_id = secrets.token_urlsafe(32), self._parts.ids.new()
        await transaction.execute(
            insert(calendar_feed).values(
                org_id=transaction.org_id, id=calendar_id, user_id=caller.user_id, name=call.body.name,
                secret_hash=_hash(secret), created_at=transaction.now,
            )
        )  # fmt: skip
        await record(call, "calendar.create", "calendar_feed", calendar_id)
        view = CalendarView(
            id=calendar_id, name=call.body.name, created_at=transaction.now, read_at=None,
            url=f"{self._parts.url}{PATH}/{secret}.ics",
        )  # fmt: skip
        return Result(view, status=201)

    async def _delete(self, call: Call[CalendarPath, Nothing, Nothing]) -> Result:
        transaction = call.transaction
        done = await transaction.execute(
            delete(calendar_feed).where(
                calendar_feed.c.org_id == transaction.org_id,
                calendar_feed.c.user_id == call.caller.user_id,
                calendar_feed.c.id == call.path.calendar_id,
            )
        )
        if done.rowcount == 0:
            raise not_found(THE_CALENDAR)
        await record(call, "calendar.delete", "calendar_feed", call.path.calendar_id)
        return Result(status=204)

    async def _read(self, call: Call[CalendarFilePath, Nothing, Nothing]) -> Result:
        database = self._parts.database
        async with database.read_all() as transaction:
            statement = select(calendar_feed).where(calendar_feed.c.secret_hash == _hash(call.path.secret))
            feed = await transaction.first(statement)
        if feed is None:
            raise not_found(THE_CALENDAR)
        async with database.read(feed.org_id) as transaction:
            standing = await read_standing(transaction, feed.user_id)
            if standing is None or not standing.active:
                raise not_found(THE_CALENDAR)
            classes = await _classes(transaction, feed.user_id, standing)
            now = transaction.now
        if feed.read_at is None or now - feed.read_at > READ_NOTED:
            async with database.write(feed.org_id) as transaction:
                own = (calendar_feed.c.org_id == feed.org_id, calendar_feed.c.id == feed.id)
                await transaction.execute(update(calendar_feed).where(*own).values(read_at=now))
        return Result(file=File(build_calendar(feed.name, classes), MEDIA_TYPE))


async def _classes(transaction: Transaction, user_id: UUID, standing: Standing) -> list[CalendarClass]:
    """Return somebody's own classes: who sees all classes of a school has no use for all of them in a calendar."""
    permissions = permissions_of(standing.roles) - {Permission.COURSES_READ_ALL}
    tied = tied_courses(transaction.org_id, user_id, transaction.now)
    invited = select(class_invite.c.class_id).where(
        class_invite.c.org_id == transaction.org_id, class_invite.c.user_id == user_id
    )
    rows = await transaction.rows(
        select(live_class)
        .where(
            live_class.c.org_id == transaction.org_id,
            live_class.c.parent_id.is_(None),
            live_class.c.ends_at > transaction.now - BACK,
            live_class.c.starts_at < transaction.now + AHEAD,
            seen_by(transaction, user_id, permissions),
            or_(
                live_class.c.host_id == user_id,
                live_class.c.course_id.in_(select(tied.c.course_id)),
                live_class.c.id.in_(invited),
            ),
        )
        .order_by(live_class.c.starts_at.desc(), live_class.c.id)
        .limit(CLASSES_MAX)
    )
    return [calendar_class(row) for row in rows]


def calendar_class(row: Row[Any]) -> CalendarClass:
    return CalendarClass(
        id=row.id,
        version=row.version,
        title=row.title,
        description=row.description,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=_zone(row.time_zone),
        is_cancelled=row.status is ClassStatus.CANCELLED,
        changed_at=row.updated_at,
        created_at=row.created_at,
    )


def _zone(name: str) -> ZoneInfo:
    """A zone that this computer knows no more is told as UTC: the moment is right all the same."""
    try:
        return find_zone(name)
    except ZoneError:
        return ZoneInfo("UTC")


def _own(call: Call[Any, Any, Any]) -> Any:
    return select(calendar_feed).where(
        calendar_feed.c.org_id == call.transaction.org_id, calendar_feed.c.user_id == call.caller.user_id
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _view(row: Row[Any]) -> CalendarView:
    return CalendarView(id=row.id, name=row.name, created_at=row.created_at, read_at=row.read_at)
