"""Fills a fresh database with a school: courses of twenty people, a class that was and one that is now, grades."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, insert

from control_api.contract import FeedEvent, ParticipantJoined, ParticipantLeft, RoomStarted
from lms.access.roles import Role
from lms.attendance.computing import settle
from lms.attendance.keeping import keep_page
from lms.classes.room import identity_of, room_name
from lms.classes.status import ClassStatus
from lms.classes.tables import RunEnd, class_run, live_class
from lms.courses.rules import CourseRole, CourseStatus
from lms.courses.tables import EnrolmentSource, EnrolmentStatus, course, enrolment
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.grades.tables import ItemKind, Source, grade, grade_category, grade_history, grade_item
from lms.grades.total import GradeState
from lms.ids import Ids
from lms.organizations.make import NewOrganization, make_organization
from lms.outbox.send import Outbox
from lms.people.tables import UserStatus, app_user, membership

SLUG: Final = "benchmark"
NAMES: Final = ("آمنة الزهراء", "Muna Al-Harbi", "زيد", "Ångström, Eva", "يوسف عبد الله", "Omar")
ITEMS: Final = 4
LESSON: Final = timedelta(minutes=45)
NODE: Final = "benchmark"
BOOT: Final = "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class SchoolSize:
    """How large a school is."""

    courses: int = 21
    people: int = 20
    """Of a course, its teacher included: the first."""

    @property
    def users(self) -> int:
        return self.courses * self.people


@dataclass(frozen=True, slots=True)
class Furnishing:
    """Whoever writes the rows of one school."""

    ids: Ids
    size: SchoolSize
    chance: random.Random
    password_hash: str


def login_of(number: int) -> str:
    """Return the code that user `number` logs in with."""
    return f"BEN{number:05}"


async def furnish(database: Database, size: SchoolSize, password_hash: str) -> UUID:
    """Make the school and return its organization; everybody has the password of this hash."""
    work = Furnishing(Ids(), size, random.Random(1), password_hash)
    new = NewOrganization(slug=SLUG, name="Benchmark School", owner_name="Huda", password_hash=password_hash)
    owner = await make_organization(database, work.ids, new)
    for number in range(size.courses):
        async with database.write(owner.org_id) as transaction:
            people = await _people(transaction, work, number * size.people)
            course_id = await _course(transaction, work, number, people)
            await _grades(transaction, work, course_id, people)
            run_id, begin = await _classes(transaction, work, course_id, people[0])
        await _attendance(database, work, owner.org_id, run_id, begin, people[1:])
    return owner.org_id


async def _add(transaction: Transaction, table: Table, rows: list[dict[str, Any]]) -> None:
    await transaction.execute(insert(table), [{"org_id": transaction.org_id, **row} for row in rows])


async def _people(transaction: Transaction, work: Furnishing, first: int) -> list[UUID]:
    """Make a teacher and students."""
    people = [work.ids.new() for _ in range(work.size.people)]
    names = [f"{NAMES[(first + index) % len(NAMES)]} {first + index}" for index in range(len(people))]
    common = {
        "password_hash": work.password_hash,
        "status": UserStatus.ACTIVE,
        "token_version": 1,
        "version": 1,
        "created_at": transaction.now,
    }
    rows = [
        {"id": user_id, "code": login_of(first + index), "display_name": name, "sort_key": name.casefold(), **common}
        for index, (user_id, name) in enumerate(zip(people, names, strict=True))
    ]
    await _add(transaction, app_user, rows)
    roles = [Role.TEACHER, *[Role.STUDENT] * (len(people) - 1)]
    held = [
        {"user_id": user_id, "role": role, "branch_key": "", "created_at": transaction.now}
        for user_id, role in zip(people, roles, strict=True)
    ]
    await _add(transaction, membership, held)
    return people


async def _course(transaction: Transaction, work: Furnishing, number: int, people: list[UUID]) -> UUID:
    course_id, earlier = work.ids.new(), transaction.now - timedelta(days=30)
    made = {"created_at": earlier, "updated_at": earlier}
    row = {
        "id": course_id,
        "title": f"Algebra {number}",
        "sort_key": f"algebra {number}",
        "description": "",
        "status": CourseStatus.PUBLISHED,
        "time_zone": "Asia/Riyadh",
        "settings": {},
        "version": 1,
        **made,
    }
    await _add(transaction, course, [row])
    enrolled = [
        {
            "id": work.ids.new(),
            "course_id": course_id,
            "user_id": user_id,
            "role": CourseRole.STUDENT if index else CourseRole.TEACHER,
            "status": EnrolmentStatus.ACTIVE,
            "source": EnrolmentSource.MANUAL,
            **made,
        }
        for index, user_id in enumerate(people)
    ]
    await _add(transaction, enrolment, enrolled)
    return course_id


async def _grades(transaction: Transaction, work: Furnishing, course_id: UUID, people: list[UUID]) -> None:
    """Make a category with items, of which every student has most."""
    category_id, now = work.ids.new(), transaction.now
    category = {
        "id": category_id,
        "course_id": course_id,
        "name": "Homework",
        "weight": Decimal(100),
        "drop_lowest": 0,
        "position": 0,
        "version": 1,
        "created_at": now,
    }
    await _add(transaction, grade_category, [category])
    for number in range(ITEMS):
        item_id = work.ids.new()
        item = {
            "id": item_id,
            "course_id": course_id,
            "category_id": category_id,
            "title": f"Quiz {number}",
            "title_key": f"quiz {number}",
            "kind": ItemKind.MANUAL,
            "max_points": Decimal(10),
            "weight": Decimal(1),
            "hidden": False,
            "position": number,
            "version": 1,
            "created_at": now,
        }
        await _add(transaction, grade_item, [item])
        graded = {"item_id": item_id, "version": 1, "source": Source.MANUAL}
        points = {user_id: Decimal(work.chance.randint(0, 40)) / 4 for user_id in people[1 + number % 2 :]}
        rows = [
            {**graded, "user_id": each, "state": GradeState.GRADED, "points": points[each], "updated_at": now}
            for each in points
        ]
        await _add(transaction, grade, rows)
        first = {**graded, "old_state": GradeState.NONE, "new_state": GradeState.GRADED, "at": now}
        await _add(
            transaction, grade_history, [{**first, "user_id": each, "new_points": points[each]} for each in points]
        )


async def _classes(transaction: Transaction, work: Furnishing, course_id: UUID, teacher: UUID) -> tuple[UUID, datetime]:
    """Make a class of yesterday with its run, and one that can be started now; return the run and its begin."""
    past, run_id, begin = work.ids.new(), work.ids.new(), transaction.now - timedelta(days=1)
    common = {
        "course_id": course_id,
        "host_id": teacher,
        "description": "",
        "time_zone": "Asia/Riyadh",
        "settings": {},
        "locked": False,
        "invited_only": False,
        "version": 1,
        "created_at": begin,
        "updated_at": begin,
    }
    now = transaction.now - timedelta(minutes=1)
    rows = [
        {"id": past, "title": "Yesterday", "status": ClassStatus.ENDED, "starts_at": begin, "ends_at": begin + LESSON},
        {
            "id": work.ids.new(),
            "title": "Now",
            "status": ClassStatus.SCHEDULED,
            "starts_at": now,
            "ends_at": now + 4 * LESSON,
        },
    ]
    await _add(transaction, live_class, [{**row, **common} for row in rows])
    run = {
        "id": run_id,
        "class_id": past,
        "room": room_name(SLUG, run_id),
        "started_at": begin,
        "started_by": teacher,
        "ended_at": begin + LESSON,
        "end_reason": RunEnd.ENDED,
    }
    await _add(transaction, class_run, [run])
    return run_id, begin


async def _attendance(
    database: Database, work: Furnishing, org_id: UUID, run_id: UUID, begin: datetime, students: list[UUID]
) -> None:
    """Have the media server's feed tell of yesterday: everybody came, some twice; and compute it."""
    room = room_name(SLUG, run_id)
    told: list[FeedEvent] = []
    happened: list[tuple[float, Any]] = [(0.0, RoomStarted(room=room))]
    for index, user_id in enumerate(students):
        identity, stays = identity_of(user_id), 1 + index % 2
        for stay in range(stays):
            stay_id = f"{run_id}-{index}-{stay}"
            came = stay * LESSON.total_seconds() / stays + work.chance.uniform(1, 300)
            left = (stay + 1) * LESSON.total_seconds() / stays - work.chance.uniform(1, 60)
            joined = ParticipantJoined(room=room, participant=stay_id, identity=identity)
            gone = ParticipantLeft(room=room, participant=stay_id, identity=identity, reason="left")
            happened += [(came, joined), (left, gone)]
    for at_s, event in sorted(happened, key=lambda each: each[0]):
        seq = int(run_id) % 1_000_000_007 * 1000 + len(told)  # unique, as all runs share one boot
        told.append(
            FeedEvent(
                cursor=f"00000001-{seq}",
                node=NODE,
                boot_id=BOOT,
                seq=seq,
                at=begin + timedelta(seconds=at_s),
                uptime_s=at_s,
                event=event,
            )
        )
    async with database.write_all() as transaction:
        await keep_page(transaction, NODE, told, told[-1].cursor, is_newest=True)
    async with database.write(org_id) as transaction:
        await settle(transaction, work.ids, Outbox(work.ids), run_id, reason="facts")
