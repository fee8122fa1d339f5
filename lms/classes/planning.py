"""/api/v1/live-classes: list, plan, look at, change and cancel live classes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import insert, select, update

from lms.access.roles import Permission, permissions_of
from lms.api.caller import Caller
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import fetch_page
from lms.api.phrases import Phrase
from lms.api.problems import ALREADY_TAKEN, BAD_CURSOR, FORBIDDEN, NOT_FOUND, QUOTA_EXCEEDED, ProblemError, bad_field
from lms.audit.record import record
from lms.classes.access import ClassFor, class_to_read, class_to_run, class_view
from lms.classes.messages import (
    DURATION_S_MAX,
    CancelClass,
    ChangeClass,
    ClassPath,
    ClassQuery,
    ClassView,
    CreateClass,
)
from lms.classes.problems import NOT_NOW
from lms.classes.room import RoomSettings
from lms.classes.status import ClassStatus, Deed
from lms.classes.store import NARROWED_BY, ask_runs_ahead, class_ties, classes_seen_by, live_run, live_runs
from lms.classes.tables import live_class
from lms.courses.access import check_moment, course_to_change
from lms.courses.endpoints import check_zone
from lms.courses.problems import COURSE_ARCHIVED
from lms.courses.rules import may_schedule
from lms.courses.store import ask_ties_ahead, find_group
from lms.database.transaction import Transaction
from lms.organizations.quotas import check_participants
from lms.organizations.tables import organization
from lms.parts import Parts

TAG = "Live classes"
PATH = "/api/v1/live-classes"
ONE = f"{PATH}/{{class_id}}"

_MOVES = frozenset({"starts_at", "time_zone", "group_id", "invited_only"})


class PlanningEndpoints:
    """Planning of live classes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_live_classes", method="GET", path=PATH, summary="List live classes", tag=TAG,
                description="Those that you see, by when they begin.", access=Permission.CLASSES_READ,
                query=ClassQuery, answers={200: Reply("A page of classes.", list[ClassView])},
                problems=(BAD_CURSOR,), run=self._list,
            ),
            Endpoint(
                operation="create_live_class", method="POST", path=PATH, summary="Plan a live class", tag=TAG,
                access=Permission.CLASSES_WRITE, body=CreateClass, answers={201: Reply("The class.", ClassView)},
                problems=(NOT_FOUND, FORBIDDEN, ALREADY_TAKEN, COURSE_ARCHIVED, QUOTA_EXCEEDED), idempotency_key=True,
                run=self._create,
            ),
            Endpoint(
                operation="get_live_class", method="GET", path=ONE, summary="Look at a live class", tag=TAG,
                access=Permission.CLASSES_READ, parameters=ClassPath, answers={200: Reply("The class.", ClassView)},
                problems=(NOT_FOUND,), run=self._get,
            ),
            Endpoint(
                operation="change_live_class", method="PATCH", path=ONE, summary="Change or move a live class",
                tag=TAG, access=Permission.CLASSES_WRITE, parameters=ClassPath, body=ChangeClass,
                answers={200: Reply("The class.", ClassView)}, problems=(NOT_FOUND, FORBIDDEN, NOT_NOW, QUOTA_EXCEEDED),
                versioned=True, run=self._change,
            ),
            Endpoint(
                operation="cancel_live_class", method="POST", path=f"{ONE}/cancel", summary="Cancel a live class",
                description="It stays in lists and calendars, struck out.", tag=TAG,
                access=Permission.CLASSES_WRITE, parameters=ClassPath, body=CancelClass,
                answers={200: Reply("The class.", ClassView)}, problems=(NOT_FOUND, FORBIDDEN, NOT_NOW),
                run=self._cancel,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[Nothing, ClassQuery, Nothing]) -> Result:
        transaction, query, caller = call.transaction, call.query, call.caller
        permissions = permissions_of(caller.roles)
        for name, moment in (("since", query.since), ("until", query.until)):
            check_moment(name, moment)
        given = {name: getattr(query, name) for name in NARROWED_BY}
        by = frozenset(name for name, value in given.items() if value is not None)
        who = (transaction.org_id, caller.user_id, transaction.now)
        statement = classes_seen_by(*who, *given.values(), permissions=permissions, by=by)
        ask_ties_ahead(transaction, caller.user_id)
        rows, following = await fetch_page(transaction, statement, (live_class.c.starts_at, live_class.c.id), query)
        ask_runs_ahead(transaction, [row.id for row in rows])
        ties = await class_ties(transaction, caller.user_id, rows)
        runs = await live_runs(transaction, [row.id for row in rows])
        views = [class_view(ClassFor(row, permissions, ties[row.id]), runs.get(row.id)) for row in rows]
        return Result(views, next=following)

    async def _create(self, call: Call[Nothing, Nothing, CreateClass]) -> Result:
        transaction, body = call.transaction, call.body
        check_times(body.starts_at, body.ends_at)
        place = await place_of(transaction, call.caller, body)
        if body.external_id is not None:
            await _check_external(transaction, body.external_id)
        class_id = self._parts.ids.new()
        await transaction.execute(
            insert(live_class).values(
                class_row(
                    transaction, class_id, call.caller.user_id, place,
                    title=body.title, description=body.description, starts_at=body.starts_at, ends_at=body.ends_at,
                    invited_only=body.invited_only, external_id=body.external_id,
                )
            )
        )  # fmt: skip
        await record(call, "class.create", "live_class", class_id, new=body)
        await self._tell(transaction, "class.planned", class_id)
        found = await class_to_read(transaction, call.caller, class_id)
        location = {"Location": f"{PATH}/{class_id}"}
        return Result(class_view(found, None), status=201, version=found.row.version, headers=location)

    async def _get(self, call: Call[ClassPath, Nothing, Nothing]) -> Result:
        ask_runs_ahead(call.transaction, [call.path.class_id])
        found = await class_to_read(call.transaction, call.caller, call.path.class_id)
        run = await live_run(call.transaction, found.row.id)
        return Result(class_view(found, run), version=found.row.version)

    async def _change(self, call: Call[ClassPath, Nothing, ChangeClass]) -> Result:
        transaction, body = call.transaction, call.body
        changed = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
        found, _ = await class_to_run(transaction, call.caller, call.path.class_id, None)
        call.check_version(found.row.version)
        _, _ = await class_to_run(transaction, call.caller, call.path.class_id, Deed.CHANGE)
        if _MOVES & changed.keys():
            await class_to_run(transaction, call.caller, call.path.class_id, Deed.MOVE)
        check_times(changed.get("starts_at", found.row.starts_at), changed.get("ends_at", found.row.ends_at))
        if "time_zone" in changed:
            check_zone(changed["time_zone"])
        if changed.get("group_id") is not None:
            await check_group(transaction, found.row.course_id, changed["group_id"])
        if body.settings is not UNSET:
            await check_participants(transaction, body.settings.participants_max)
            changed["settings"] = msgspec.to_builtins(changed["settings"])
        old = {name: found.row._mapping[name] for name in changed}
        await write_class(transaction, found.row.id, found.row.version, **changed)
        await record(call, "class.change", "live_class", found.row.id, old=old, new=changed)
        await self._tell(transaction, "class.changed", found.row.id, changed=sorted(changed))
        if "settings" in changed and found.row.status is ClassStatus.LIVE:
            await self._tell(transaction, "class.room.settings", found.row.id)
        return await self._view(call, found.row.id)

    async def _cancel(self, call: Call[ClassPath, Nothing, CancelClass]) -> Result:
        transaction = call.transaction
        found, status = await class_to_run(transaction, call.caller, call.path.class_id, Deed.CANCEL)
        if found.row.status is not status:
            await write_class(
                transaction, found.row.id, found.row.version, status=status, cancel_reason=call.body.reason
            )
            await record(call, "class.cancel", "live_class", found.row.id, new={"reason": call.body.reason})
            await self._tell(transaction, "class.cancelled", found.row.id)
        return await self._view(call, found.row.id)

    async def _view(self, call: Call[Any, Any, Any], class_id: UUID) -> Result:
        found = await class_to_read(call.transaction, call.caller, class_id)
        run = await live_run(call.transaction, class_id)
        return Result(class_view(found, run), version=found.row.version)

    async def _tell(self, transaction: Transaction, topic: str, class_id: UUID, **more: Any) -> None:
        payload = {"class_id": str(class_id), **more}
        await self._parts.outbox.send(transaction, topic, key=str(class_id), payload=payload)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where classes are: the course and group, checked, and what follows from them."""

    course_id: UUID | None
    group_id: UUID | None
    time_zone: str
    settings: RoomSettings


async def place_of(transaction: Transaction, caller: Caller, body: Any) -> Place:
    """Return where somebody plans classes (`CreateClass` or `CreateSeries`); raises ProblemError if they may not."""
    zone, settings = body.time_zone, body.settings
    if settings is not None:
        await check_participants(transaction, settings.participants_max)
    if body.course_id is not None:
        row = (await course_to_change(transaction, caller, body.course_id, may_schedule)).row
        zone = zone or row.time_zone
        settings = settings or msgspec.convert(row.settings, RoomSettings)
    if body.group_id is not None:
        await check_group(transaction, body.course_id, body.group_id)
    if zone is None:
        zone = await transaction.value(select(organization.c.time_zone).where(organization.c.id == transaction.org_id))
    check_zone(zone)
    return Place(course_id=body.course_id, group_id=body.group_id, time_zone=zone, settings=settings or RoomSettings())


def class_row(transaction: Transaction, class_id: UUID, host_id: UUID, place: Place, **values: Any) -> dict[str, Any]:
    """Return the row of a new class."""
    return {
        "org_id": transaction.org_id,
        "id": class_id,
        "course_id": place.course_id,
        "group_id": place.group_id,
        "host_id": host_id,
        "time_zone": place.time_zone,
        "status": ClassStatus.SCHEDULED,
        "settings": msgspec.to_builtins(place.settings),
        "locked": False,
        "version": 1,
        "created_at": transaction.now,
        "updated_at": transaction.now,
        **values,
    }


async def write_class(transaction: Transaction, class_id: UUID, version: int, **values: Any) -> None:
    """Change a class, which is locked."""
    await transaction.execute(
        update(live_class)
        .where(live_class.c.org_id == transaction.org_id, live_class.c.id == class_id)
        .values(**values, version=version + 1, updated_at=transaction.now)
    )


def check_times(starts_at: datetime, ends_at: datetime) -> None:
    """Raise ProblemError for a class that ends before it begins, lasts too long, or is in no time of ours."""
    check_moment("starts_at", starts_at)
    check_moment("ends_at", ends_at)
    if not starts_at < ends_at <= starts_at + timedelta(seconds=DURATION_S_MAX):
        hours = DURATION_S_MAX // 3600
        expected = Phrase(
            f"a time after starts_at, at most {hours} hours later", f"وقت بعد starts_at بما لا يزيد على {hours} ساعة"
        )
        raise bad_field("ends_at", ends_at.isoformat(), expected, "order")


async def check_group(transaction: Transaction, course_id: UUID | None, group_id: UUID) -> None:
    """Raise ProblemError unless a group is one of the course."""
    if course_id is None or await find_group(transaction, course_id, group_id) is None:
        raise bad_field("group_id", str(group_id), Phrase("a group of the course", "مجموعة من المقرر"), "reference")


async def _check_external(transaction: Transaction, external_id: str) -> None:
    taken = select(live_class.c.id).where(
        live_class.c.org_id == transaction.org_id,
        live_class.c.external_id == external_id,
        live_class.c.status != ClassStatus.ENDED,
    )
    if await transaction.first(taken) is not None:
        raise ProblemError(ALREADY_TAKEN, field="external_id", value=external_id, rule="unique")
