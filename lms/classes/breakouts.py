"""/api/v1/live-classes/{class_id}/breakouts: a class that is held, divided into rooms that end with it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select

from lms.access.roles import Permission, permissions_of
from lms.api.caller import Caller
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Reply, Result, Use
from lms.api.phrases import Phrase, same
from lms.api.problems import FORBIDDEN, NOT_FOUND, QUOTA_EXCEEDED, ProblemError
from lms.audit.record import record
from lms.classes.access import ClassFor, class_to_run, class_view
from lms.classes.invitations import invite, invite_alike
from lms.classes.media import MediaServer
from lms.classes.messages import Breakout, ClassPath, ClassView, CreateBreakouts
from lms.classes.planning import ONE, TAG, Place, class_row
from lms.classes.problems import BREAKOUTS_MAX, MEDIA_UNAVAILABLE, NOT_NOW
from lms.classes.room import RoomSettings, room_definition, room_name
from lms.classes.runs import start_run
from lms.classes.status import ClassStatus, Deed
from lms.classes.store import class_ties, find_class, live_run, live_runs
from lms.classes.tables import class_run, live_class
from lms.courses.enrolments import check_people
from lms.database.transaction import Transaction
from lms.organizations.quotas import check_participants, seats_within
from lms.organizations.tables import organization
from lms.parts import Parts
from webapi.shapes import Nothing

BREAKOUTS: Final = 50
"""Of a run at the same time."""

_NO_DEEPER: Final = Phrase("A breakout has no breakouts", "ليس للغرفة الفرعية غرف فرعية")


class BreakoutEndpoints:
    """Breakouts. They are live classes themselves: list them by `parent_id`, join and end them like any other."""

    def __init__(self, parts: Parts, media: MediaServer) -> None:
        self._parts = parts
        self._media = media

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="create_breakouts", method="POST", path=f"{ONE}/breakouts",
                summary="Divide a class into rooms",
                description="While it is held; they begin at once. Each is a live class of its own with `parent_id`.",
                tag=TAG, access=Permission.CLASSES_WRITE, parameters=ClassPath, body=CreateBreakouts,
                answers={201: Reply("The breakouts, in the order given.", list[ClassView])},
                problems=(NOT_FOUND, FORBIDDEN, NOT_NOW, BREAKOUTS_MAX, MEDIA_UNAVAILABLE, QUOTA_EXCEEDED), use=Use.OWN,
                run=self._create,
            ),
        )  # fmt: skip

    async def _create(self, call: Call[ClassPath, Nothing, CreateBreakouts]) -> Result:
        caller, body, parts = call.caller, call.body, self._parts
        async with parts.database.read(caller.org_id) as transaction:
            found, _ = await class_to_run(transaction, caller, call.path.class_id, Deed.LOCK, lock=False)
            if found.row.parent_id is not None:
                raise ProblemError(NOT_NOW, field="parent_id", rule="depth", reason=_NO_DEEPER)
            people = tuple({each for breakout in body.breakouts for each in breakout.user_ids})
            if people:
                await check_people(transaction, "breakouts", people)
            slug = await transaction.value(select(organization.c.slug).where(organization.c.id == caller.org_id))
            settings = body.settings or msgspec.structs.replace(found.settings, waiting_room=False)
            if body.settings is not None:
                await check_participants(transaction, settings.participants_max)
            seats = await seats_within(transaction, settings.participants_max)
        planned = [(each, parts.ids.new(), parts.ids.new()) for each in body.breakouts]
        rooms = {run_id: room_name(slug, run_id) for _, _, run_id in planned}
        async with self._media.dropping(rooms.values()):
            for _, class_id, run_id in planned:
                definition = room_definition(settings, locked=False, class_id=class_id, run_id=run_id, seats=seats)
                await self._media.open_room(rooms[run_id], definition)
            async with parts.database.write(caller.org_id) as transaction:
                found, _ = await class_to_run(transaction, caller, call.path.class_id, Deed.LOCK)
                run = await live_run(transaction, found.row.id)
                assert run is not None, "a class that is live, and locked, has a run"
                await _check_number(transaction, run.id, len(planned))
                for breakout, class_id, run_id in planned:
                    await self._insert(transaction, found, breakout, class_id, settings)
                    child = await find_class(transaction, class_id)
                    assert child is not None, "it was made just now"
                    await start_run(
                        transaction, parts.outbox, child, run_id=run_id, room=rooms[run_id],
                        started_by=caller.user_id, parent_run_id=run.id,
                    )  # fmt: skip
                ids = [class_id for _, class_id, _ in planned]
                new = {"breakouts": ids}
                await record(call, "class.divide", "live_class", found.row.id, new=new, transaction=transaction)
                views = await _views(transaction, call.caller, ids)
        return Result(views, status=201)

    async def _insert(
        self, transaction: Transaction, found: ClassFor, breakout: Breakout, class_id: UUID, settings: RoomSettings
    ) -> None:
        parent = found.row
        place = Place(
            course_id=parent.course_id, group_id=parent.group_id, time_zone=parent.time_zone, settings=settings
        )
        await transaction.execute(
            insert(live_class).values(
                class_row(
                    transaction, class_id, parent.host_id, place,
                    title=breakout.title, description="", parent_id=parent.id, status=ClassStatus.LIVE,
                    starts_at=parent.starts_at, ends_at=parent.ends_at,
                    # Where nobody is named, those come who come into the class itself: see `invite_alike`.
                    invited_only=parent.invited_only or bool(breakout.user_ids),
                )
            )
        )  # fmt: skip
        if breakout.user_ids:
            await invite(transaction, class_id, breakout.user_ids)
        elif parent.invited_only:
            await invite_alike(transaction, class_id, parent.id)


async def _views(transaction: Transaction, caller: Caller, ids: list[UUID]) -> list[ClassView]:
    rows = [row for each in ids if (row := await find_class(transaction, each)) is not None]
    ties, runs = await class_ties(transaction, caller.user_id, rows), await live_runs(transaction, ids)
    permissions = permissions_of(caller.roles)
    return [class_view(ClassFor(row, permissions, ties[row.id]), runs.get(row.id)) for row in rows]


async def _check_number(transaction: Transaction, run_id: UUID, more: int) -> None:
    there = await transaction.value(
        select(func.count())
        .select_from(class_run)
        .where(
            class_run.c.org_id == transaction.org_id,
            class_run.c.parent_run_id == run_id,
            class_run.c.ended_at.is_(None),
        )
    )
    if there + more > BREAKOUTS:
        raise ProblemError(BREAKOUTS_MAX, field="breakouts", value=there, expected=same(BREAKOUTS), rule="count")
