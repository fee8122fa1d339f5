"""A course with a class that is held, in the database of an LMS, and what a media server would tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import insert, update

from control_api.contract import FeedEvent
from lms.attendance.computing import settle
from lms.attendance.keeping import keep_page
from lms.classes.room import room_name
from lms.classes.status import ClassStatus
from lms.classes.tables import RunEnd, class_run, live_class
from lms.courses.rules import CourseRole, CourseStatus
from lms.courses.tables import EnrolmentSource, EnrolmentStatus, course, enrolment
from lms.database.database import Database
from lms.ids import Ids
from lms.outbox.send import Outbox
from tests.unit.lms.attendance.lesson import BEGIN, PEOPLE, MediaServer, lines_of


@dataclass
class HeldClass:
    """A class of a course, and its run."""

    database: Database
    ids: Ids
    outbox: Outbox
    org_id: UUID
    slug: str
    course_id: UUID
    class_id: UUID
    run_id: UUID
    breakout_id: UUID
    """The run of a breakout room."""
    begin: datetime
    students: Sequence[UUID]
    """Whoever the people of a lesson are."""

    @property
    def room(self) -> str:
        return room_name(self.slug, self.run_id)

    def told(self, server: MediaServer) -> list[FeedEvent]:
        """Return what a lesson's media server tells, with the rooms and people of this class."""
        rooms = {"algebra": self.room, "algebra.1": room_name(self.slug, self.breakout_id)}
        people = dict(zip(PEOPLE, map(str, self.students), strict=True))
        events = []
        for line in (*server.told, *lines_of(server.content)):
            event = msgspec.json.decode(line, type=FeedEvent)
            changes = {"room": rooms[event.event.room]}  # type: ignore[union-attr]
            identity = getattr(event.event, "identity", None)
            if identity is not None:
                changes["identity"] = people.get(identity, identity)
            events.append(msgspec.structs.replace(event, event=msgspec.structs.replace(event.event, **changes)))
        return events

    async def keep(self, events: Sequence[FeedEvent], *, cursor: str = "00000000-1", is_newest: bool = True) -> int:
        """Keep a page; return how many facts were new."""
        async with self.database.write_all() as transaction:
            return len(await keep_page(transaction, "media", events, cursor, is_newest=is_newest))

    async def end(self, after_s: float) -> None:
        """End the run, and the one of the breakout."""
        async with self.database.write(self.org_id) as transaction:
            own = (class_run.c.org_id == self.org_id, class_run.c.id.in_([self.run_id, self.breakout_id]))
            await transaction.execute(
                update(class_run)
                .where(*own)
                .values(ended_at=self.begin + timedelta(seconds=after_s), end_reason=RunEnd.ENDED)
            )

    async def settle(self) -> list[UUID]:
        """Compute and write; return whose result changed."""
        async with self.database.write(self.org_id) as transaction:
            return await settle(transaction, self.ids, self.outbox, self.run_id, reason="facts")


async def hold_class(
    database: Database,
    ids: Ids,
    outbox: Outbox,
    org_id: UUID,
    slug: str,
    students: Sequence[UUID],
    teacher: UUID,
    *,
    begin: datetime = BEGIN,
    course_id: UUID | None = None,
) -> HeldClass:
    """Put a class into the database whose run began at `begin`, planned for half an hour."""
    class_id, run_id, breakout_class, breakout_id = (ids.new() for _ in range(4))
    async with database.write(org_id) as transaction:
        if course_id is None:
            course_id = ids.new()
            await transaction.execute(
                insert(course).values(
                    org_id=org_id,
                    id=course_id,
                    title="=Algebra",
                    sort_key="=algebra",
                    description="",
                    settings={},
                    version=1,
                    status=CourseStatus.PUBLISHED,
                    time_zone="Asia/Riyadh",
                    created_at=begin,
                    updated_at=begin,
                )
            )
            for role, users in ((CourseRole.STUDENT, students), (CourseRole.TEACHER, [teacher])):
                for user_id in users:
                    await transaction.execute(
                        insert(enrolment).values(
                            org_id=org_id,
                            id=ids.new(),
                            course_id=course_id,
                            user_id=user_id,
                            role=role,
                            status=EnrolmentStatus.ACTIVE,
                            source=EnrolmentSource.MANUAL,
                            created_at=begin - timedelta(days=1),
                            updated_at=begin,
                        )
                    )
        planned = {
            "course_id": course_id,
            "host_id": teacher,
            "starts_at": begin,
            "ends_at": begin + timedelta(minutes=30),
            "description": "",
            "time_zone": "Asia/Riyadh",
            "status": ClassStatus.LIVE,
            "settings": {},
            "locked": False,
            "invited_only": False,
            "version": 1,
            "created_at": begin,
            "updated_at": begin,
        }
        for each, parent, title in ((class_id, None, "Lesson 1"), (breakout_class, class_id, "Group 1")):
            await transaction.execute(
                insert(live_class).values(org_id=org_id, id=each, parent_id=parent, title=title, **planned)
            )
        for run, of, parent in ((run_id, class_id, None), (breakout_id, breakout_class, run_id)):
            await transaction.execute(
                insert(class_run).values(
                    org_id=org_id,
                    id=run,
                    class_id=of,
                    parent_run_id=parent,
                    room=room_name(slug, run),
                    started_at=begin,
                    started_by=teacher,
                )
            )
    return HeldClass(database, ids, outbox, org_id, slug, course_id, class_id, run_id, breakout_id, begin, students)
