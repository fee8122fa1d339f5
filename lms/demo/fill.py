"""Filling a school: a month of it passes in some seconds, on a clock that is turned, through the running service."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import aiohttp
from sqlalchemy import select

from lms.api.languages import Language
from lms.api.rate_limits import RateLimitSettings
from lms.clock import TurnedClock
from lms.database.database import Database, database_url, is_sqlite
from lms.demo.api import SchoolApi
from lms.demo.courses import EXTRA_TITLE, make_codes, make_courses, plan_extra, plan_series
from lms.demo.errors import DemoError
from lms.demo.marks import Marks
from lms.demo.people import make_branches, shown_first, take_in_people
from lms.demo.plan import plan_school
from lms.demo.school import School
from lms.demo.talk import Talk, put_staff_on_agenda
from lms.demo.teaching import Teaching
from lms.mail.settings import MailSettings
from lms.organizations.make import NewOrganization, Owner, make_organization
from lms.organizations.tables import organization
from lms.parts import Parts
from lms.service import LmsService
from lms.settings import HttpSettings, LmsSettings, MediaServerSettings

SLUG_DEFAULT: Final = "demo"
NAME: Final = "Halqa School · مدرسة حلقة"
OWNER: Final = "Layla Rahman"
_UNLIMITED: Final = RateLimitSettings(**{each.name: 10_000_000 for each in fields(RateLimitSettings)})
_MORNING: Final = timedelta(hours=7)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    """What is to be filled in."""

    seed: int
    students: int
    weeks: int
    """Of classes that are over."""
    time_zone: str
    slug: str
    password: str
    """Everybody's."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody whose account is worth a try."""

    role: str
    name: str
    code: str
    email: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What is there now."""

    logins: tuple[Login, ...]
    counts: dict[str, int]
    access_code: str
    class_id: UUID
    """The class that is on now, which its teacher has yet to start."""
    class_title: str
    teacher: str
    """Its teacher's code."""
    took_s: float


async def fill_school(settings: LmsSettings, demo: Demo, tell: Tell, now: datetime | None = None) -> Filled:
    """Fill a database with a school; raises LmsError, also where there is one of this name already."""
    began = time.monotonic()
    zone = ZoneInfo(demo.time_zone)
    ends = (now or datetime.now(UTC)).astimezone(zone)
    first_day = ends.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(weeks=demo.weeks)
    clock = TurnedClock(first_day + _MORNING)
    fresh = _fresh_file(settings)
    done = False
    try:
        database = await Database.open(settings.database, settings.data, clock)
        try:
            await _check_new(database, demo.slug)
            # The database is handed in: its tables are there before anybody is told of progress.
            service = await LmsService.start(_quiet(settings), clock=clock, database=database)
            try:
                # What is looked at every hour is so at the first start: here an hour passes in no time.
                await service.parts.schedule.close()
                async with aiohttp.ClientSession() as http:
                    filled = await _fill(service, http, clock, ends, demo, tell)
            finally:
                await service.close()
        finally:
            await database.close()
        done = True
    finally:
        if not done and fresh is not None:  # nobody wants half a school
            for each in fresh.parent.glob(f"{fresh.name}*"):
                each.unlink()
    return replace(filled, took_s=time.monotonic() - began)


async def _fill(
    service: LmsService, http: aiohttp.ClientSession, clock: TurnedClock, now: datetime, demo: Demo, tell: Tell
) -> Filled:
    parts = service.parts
    owner = await _make_organization(parts, demo)
    school = School(
        api=SchoolApi(http, service.url, parts, owner.org_id),
        parts=parts,
        clock=clock,
        plan=plan_school(demo.seed, demo.students, now.date()),
        zone=ZoneInfo(demo.time_zone),
        now=now,
        org_id=owner.org_id,
        owner=owner.user_id,
        seed=demo.seed,
    )
    tell("people")
    branches = await make_branches(school)
    await take_in_people(school, demo.password)
    tell("courses")
    await make_courses(school, branches)
    access_code = await make_codes(school)
    await plan_series(school, demo.weeks)
    teaching = Teaching(school, demo.slug)
    await teaching.put_on_agenda()
    for planned in school.plan.courses:
        course = school.courses[planned.key]
        await Marks(school, course, planned, demo.weeks).set_up()
        Talk(school, course, planned, demo.weeks).put_on_agenda()
    put_staff_on_agenda(school)
    await _live_through(school, tell)
    class_id = await plan_extra(school)
    tell("what is left to be counted")
    await teaching.settle()
    await parts.relay.run_once()
    clock.turn(max(now - clock.now(), timedelta(0)))
    shown = shown_first(school)
    logins = [Login("owner", OWNER, owner.code, "")]
    logins += [Login(each.role.value, each.name, school.codes[each.key], each.email) for each in shown]
    return Filled(
        logins=tuple(logins),
        counts=dict(school.counts),
        access_code=access_code,
        class_id=class_id,
        class_title=EXTRA_TITLE,
        teacher=school.codes["teacher-1"],
        took_s=0.0,
    )


async def _live_through(school: School, tell: Tell) -> None:
    """Do what is on the agenda, in the order of time."""
    agenda = sorted(school.agenda, key=lambda each: each[:2])
    began = school.clock.now()
    week = -1
    for when, _, step in agenda:
        school.turn_to(when)
        if (when - began) // timedelta(weeks=1) > week:
            week = (when - began) // timedelta(weeks=1)
            tell(f"week {week + 1}")
        await step()


async def _make_organization(parts: Parts, demo: Demo) -> Owner:
    return await make_organization(
        parts.database,
        parts.ids,
        NewOrganization(
            slug=demo.slug,
            name=NAME,
            owner_name=OWNER,
            password_hash=await parts.passwords.hash(demo.password),
            time_zone=demo.time_zone,
            language=Language.ENGLISH,
        ),
    )


async def _check_new(database: Database, slug: str) -> None:
    async with database.read_all() as transaction:
        if await transaction.first(select(organization.c.id).where(organization.c.slug == slug)) is not None:
            raise DemoError(f"there is a school {slug!r} already; nothing was changed")


def _quiet(settings: LmsSettings) -> LmsSettings:
    """Return settings for a service that only we ask: a port of this computer, no media server, mails as files."""
    return replace(
        settings,
        http=HttpSettings(host="127.0.0.1", port=0),
        media_server=MediaServerSettings(),
        mail=MailSettings(),
        rate_limits=_UNLIMITED,
    )


def _fresh_file(settings: LmsSettings) -> Path | None:
    """Return the file of the database, if it is one that is not there yet."""
    url = database_url(settings.database, settings.data)
    if not is_sqlite(url):
        return None
    file = Path(url.database or "")
    return None if file.exists() else file
