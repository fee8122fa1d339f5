"""Has people told of their classes: from the outbox, by WebSocket and as notifications. Each may come twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select

from lms.chat.members import in_class
from lms.chat.rules import RoomKind
from lms.chat.store import find_room_of, insert_room
from lms.chat.tables import MessageKind, chat_message
from lms.chat.writing import Writer
from lms.classes.status import ClassStatus
from lms.classes.store import find_class
from lms.classes.tables import live_class
from lms.courses.rules import CourseRole
from lms.courses.store import counts
from lms.courses.tables import enrolment
from lms.database.transaction import Transaction
from lms.grades.tables import grade_item
from lms.live.events import Event
from lms.notifications.class_events import (
    ClassAttendanceUpdated,
    ClassCancelled,
    ClassChanged,
    ClassEnded,
    ClassGradeUpdated,
    ClassInvited,
    ClassStarted,
    ClassStarting,
)
from lms.notifications.kinds import Kind
from lms.notifications.store import Notifier
from lms.outbox.relay import Message
from lms.parts import Parts
from lms.people.tables import UserStatus, app_user

SOON: Final = timedelta(minutes=10)
"""Before it is planned to start, a class is told to be starting."""
STARTED: Final = "class.started"
ENDED: Final = "class.ended"
_TEACHING: Final = (CourseRole.TEACHER, CourseRole.TA)


class ClassNews:
    """Consumes what the outbox tells of classes; `tell_starting` is a job of each minute."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live = parts.live
        self._notifier = Notifier(parts.ids, parts.live)
        self._writer = Writer(parts.ids, parts.live)

    def listen(self) -> None:
        """Be told of classes, attendance and grades."""
        relay = self._parts.relay
        for topic in (STARTED, ENDED, "class.invited", "class.changed", "class.cancelled"):
            relay.on(topic, self._take_class)
        relay.on("attendance.updated", self._take_attendance)
        relay.on("grade.updated", self._take_grade)

    async def tell_starting(self) -> int:
        """Have people told of classes that start soon, each once, and return how many notifications that were."""
        database = self._parts.database
        async with database.read_all() as transaction:
            soon = await transaction.rows(
                select(live_class).where(
                    live_class.c.status == ClassStatus.SCHEDULED,
                    live_class.c.starts_at > transaction.now,
                    live_class.c.starts_at <= transaction.now + SOON,
                )
            )
        told = 0
        for held in soon:
            async with database.write(held.org_id) as transaction:
                told += await self._tell_starting(transaction, held)
        return told

    async def _tell_starting(self, transaction: Transaction, held: Row[Any]) -> int:
        source = f"class.starting {held.id} {held.starts_at.isoformat()}"
        members = await _members(transaction, held)
        told = await self._notifier.notify(transaction, members, Kind.CLASS_STARTING, source, _about(held))
        if told:
            event = ClassStarting(class_id=held.id, title=held.title, starts_at=held.starts_at)
            await self._live.tell_users(transaction, members, event)
        return told

    async def _take_class(self, message: Message) -> None:
        async with self._parts.database.write(message.org_id) as transaction:
            held = await find_class(transaction, UUID(message.payload["class_id"]))
            if held is None:
                return
            members = await _members(transaction, held)
            event: Event
            match message.topic:
                case "class.started":
                    run_id = UUID(message.payload["run_id"])
                    room_id = await self._say_in_run(transaction, held, run_id, STARTED)
                    event = ClassStarted(class_id=held.id, title=held.title, run_id=run_id, room_id=room_id)
                    await self._notify(transaction, members, Kind.CLASS_STARTED, message, held, run_id=str(run_id))
                case "class.ended":
                    run_id = UUID(message.payload["run_id"])
                    await self._say_in_run(transaction, held, run_id, ENDED)
                    reason = str(message.payload["reason"])
                    event = ClassEnded(class_id=held.id, title=held.title, run_id=run_id, reason=reason)
                case "class.invited":
                    members = [UUID(each) for each in message.payload["user_ids"]]
                    event = ClassInvited(class_id=held.id, title=held.title, starts_at=held.starts_at)
                    await self._notify(transaction, members, Kind.CLASS_INVITED, message, held)
                case "class.changed":
                    event = ClassChanged(class_id=held.id, title=held.title, starts_at=held.starts_at)
                    await self._notify(transaction, members, Kind.CLASS_CHANGED, message, held)
                case _:
                    event = ClassCancelled(class_id=held.id, title=held.title)
                    await self._notify(transaction, members, Kind.CLASS_CANCELLED, message, held)
            await self._live.tell_users(transaction, members, event)

    async def _take_attendance(self, message: Message) -> None:
        async with self._parts.database.write(message.org_id) as transaction:
            held = await find_class(transaction, UUID(message.payload["class_id"]))
            if held is None:
                return
            teaching = {held.host_id}
            if held.course_id is not None:
                rows = await transaction.rows(
                    select(enrolment.c.user_id).where(
                        enrolment.c.org_id == transaction.org_id,
                        enrolment.c.course_id == held.course_id,
                        enrolment.c.role.in_(_TEACHING),
                        counts(transaction.now),
                    )
                )
                teaching |= {row.user_id for row in rows}
            run_id = UUID(message.payload["run_id"])
            event = ClassAttendanceUpdated(class_id=held.id, title=held.title, run_id=run_id)
            await self._live.tell_users(transaction, sorted(teaching), event)

    async def _take_grade(self, message: Message) -> None:
        if not message.payload["published"]:
            return
        item_id, users = UUID(message.payload["item_id"]), [UUID(each) for each in message.payload["user_ids"]]
        async with self._parts.database.write(message.org_id) as transaction:
            item = await transaction.first(
                select(grade_item.c.title).where(grade_item.c.org_id == transaction.org_id, grade_item.c.id == item_id)
            )
            if item is None:
                return
            course_id = UUID(message.payload["course_id"])
            about = {"course_id": str(course_id), "item_id": str(item_id), "title": item.title}
            # Once for each item: who corrects a grade ten times does not ring ten times.
            await self._notifier.notify(transaction, users, Kind.GRADE_PUBLISHED, f"grade {item_id}", about)
            await self._live.tell_users(transaction, users, ClassGradeUpdated(course_id=course_id, item_id=item_id))

    async def _notify(
        self, transaction: Transaction, members: Sequence[UUID], kind: Kind, message: Message, held: Row[Any],
        **more: Any,
    ) -> None:  # fmt: skip
        source = f"{message.topic} {message.id}"
        await self._notifier.notify(transaction, members, kind, source, {**_about(held), **more})

    async def _say_in_run(self, transaction: Transaction, held: Row[Any], run_id: UUID, word: str) -> UUID:
        """Note in the chat of a run that it began or ended, once; return the room."""
        room = await find_room_of(transaction, RoomKind.RUN, run_id)
        if room is None:
            values = {"kind": RoomKind.RUN, "ref_id": run_id, "course_id": held.course_id}
            await insert_room(transaction, self._parts.ids.new(), values)
            room = await find_room_of(transaction, RoomKind.RUN, run_id)
        assert room is not None, "it was just made"
        said = await transaction.first(
            select(chat_message.c.seq).where(
                chat_message.c.org_id == transaction.org_id,
                chat_message.c.room_id == room.id,
                chat_message.c.kind == MessageKind.SYSTEM,
                chat_message.c.body == word,
            )
        )
        if said is None:
            await self._writer.say(transaction, room, word)
        room_id: UUID = room.id
        return room_id


async def _members(transaction: Transaction, held: Row[Any]) -> list[UUID]:
    rows = await transaction.rows(
        select(app_user.c.id)
        .where(
            app_user.c.org_id == transaction.org_id,
            app_user.c.deleted_at.is_(None),
            app_user.c.status == UserStatus.ACTIVE,
            in_class(transaction, held),
        )
        .order_by(app_user.c.id)
    )
    return [row.id for row in rows]


def _about(held: Row[Any]) -> dict[str, Any]:
    return {"class_id": str(held.id), "title": held.title, "starts_at": held.starts_at.isoformat()}
