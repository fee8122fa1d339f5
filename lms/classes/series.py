"""/api/v1/class-series: many classes by one rule, planned at once, each its own afterwards."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, func, insert, select, update

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.phrases import Phrase
from lms.api.problems import FORBIDDEN, NOT_FOUND, QUOTA_EXCEEDED, ProblemError, bad_field, not_found
from lms.audit.record import record
from lms.classes.calendar.zones import find_zone
from lms.classes.messages import CancelClass, ChangedClasses, CreateSeries, SeriesPath, SeriesView
from lms.classes.planning import TAG, check_times, class_row, place_of
from lms.classes.problems import BAD_RULE, THE_SERIES
from lms.classes.recurrence import RuleError, occurrences
from lms.classes.rule_text import build_rule, parse_rule
from lms.classes.rules import ClassTies, may_read_class, may_run
from lms.classes.status import ClassStatus
from lms.classes.store import class_ties
from lms.classes.tables import class_series, live_class
from lms.courses.problems import COURSE_ARCHIVED
from lms.database.transaction import Transaction
from lms.parts import Parts

PATH = "/api/v1/class-series"
ONE = f"{PATH}/{{series_id}}"


class SeriesEndpoints:
    """Series of classes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="create_class_series", method="POST", path=PATH, summary="Plan a series of classes", tag=TAG,
                description="Classes keep their hour on the clock of the time zone when summer time begins or ends.",
                access=Permission.CLASSES_WRITE, body=CreateSeries, answers={201: Reply("The series.", SeriesView)},
                problems=(NOT_FOUND, FORBIDDEN, BAD_RULE, COURSE_ARCHIVED, QUOTA_EXCEEDED), idempotency_key=True,
                run=self._create,
            ),
            Endpoint(
                operation="get_class_series", method="GET", path=ONE, summary="Look at a series",
                description="List its classes by `series_id`.", tag=TAG, access=Permission.CLASSES_READ,
                parameters=SeriesPath, answers={200: Reply("The series.", SeriesView)}, problems=(NOT_FOUND,),
                run=self._get,
            ),
            Endpoint(
                operation="cancel_class_series", method="POST", path=f"{ONE}/cancel",
                summary="Cancel the classes of a series that have not begun", tag=TAG,
                access=Permission.CLASSES_WRITE, parameters=SeriesPath, body=CancelClass,
                answers={200: Reply("How many were cancelled.", ChangedClasses)}, problems=(NOT_FOUND, FORBIDDEN),
                run=self._cancel,
            ),
        )  # fmt: skip

    async def _create(self, call: Call[Nothing, Nothing, CreateSeries]) -> Result:
        transaction, body, parts = call.transaction, call.body, self._parts
        place = await place_of(transaction, call.caller, body)
        starts = starts_of(body, place.time_zone)
        length = timedelta(minutes=body.duration_minutes)
        series_id = parts.ids.new()
        await transaction.execute(
            insert(class_series).values(
                org_id=transaction.org_id, id=series_id, course_id=place.course_id, group_id=place.group_id,
                host_id=call.caller.user_id, title=body.title, description=body.description,
                rule=build_rule(parse_rule(body.rule)), starts_local=body.starts_local, time_zone=place.time_zone,
                duration_s=int(length.total_seconds()), without=list(body.without), invited_only=body.invited_only,
                settings=msgspec.to_builtins(place.settings), version=1,
                created_at=transaction.now, updated_at=transaction.now,
            )
        )  # fmt: skip
        rows = [
            class_row(
                transaction, parts.ids.new(), call.caller.user_id, place,
                series_id=series_id, title=body.title, description=body.description, invited_only=body.invited_only,
                starts_at=start, ends_at=start + length,
            )
            for start in starts
        ]  # fmt: skip
        await transaction.execute(insert(live_class), rows)
        await record(call, "series.create", "class_series", series_id, new=body)
        payload = {"series_id": str(series_id), "classes": len(rows)}
        await parts.outbox.send(transaction, "series.planned", key=str(series_id), payload=payload)
        row, _ = await _find(call, series_id)
        return Result(await _view(transaction, row), status=201, headers={"Location": f"{PATH}/{series_id}"})

    async def _get(self, call: Call[SeriesPath, Nothing, Nothing]) -> Result:
        row, _ = await _find(call, call.path.series_id)
        return Result(await _view(call.transaction, row))

    async def _cancel(self, call: Call[SeriesPath, Nothing, CancelClass]) -> Result:
        transaction = call.transaction
        row, ties = await _find(call, call.path.series_id)
        if not may_run(permissions_of(call.caller.roles), ties):
            raise ProblemError(FORBIDDEN, rule="own_class")
        done = await transaction.execute(
            update(live_class)
            .where(
                live_class.c.org_id == transaction.org_id,
                live_class.c.series_id == row.id,
                live_class.c.status == ClassStatus.SCHEDULED,
                live_class.c.starts_at > transaction.now,
            )
            .values(
                status=ClassStatus.CANCELLED, cancel_reason=call.body.reason,
                version=live_class.c.version + 1, updated_at=transaction.now,
            )
        )  # fmt: skip
        new = {"classes": done.rowcount, "reason": call.body.reason}
        await record(call, "series.cancel", "class_series", row.id, new=new)
        payload = {"series_id": str(row.id), "classes": done.rowcount}
        await self._parts.outbox.send(transaction, "series.cancelled", key=str(row.id), payload=payload)
        return Result(ChangedClasses(classes=done.rowcount))


def starts_of(body: CreateSeries, time_zone: str) -> tuple[datetime, ...]:
    """Return when the classes of a new series begin, in UTC; raises ProblemError."""
    try:
        local = datetime.strptime(body.starts_local, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - local on purpose
    except ValueError:
        raise bad_field(
            "starts_local",
            body.starts_local,
            Phrase("a day and hour such as 2026-11-22T09:00", "يوم وساعة مثل 2026-11-22T09:00"),
            "form",
        ) from None
    try:
        without = frozenset(date.fromisoformat(each) for each in body.without)
    except ValueError:
        raise bad_field(
            "without", list(body.without)[:5], Phrase("days such as 2026-12-01", "أيام مثل 2026-12-01"), "form"
        ) from None
    if not 2000 <= local.year < 2090:
        raise bad_field(
            "starts_local", body.starts_local, Phrase("a year from 2000 to 2089", "سنة من 2000 إلى 2089"), "range"
        )
    try:
        starts = occurrences(parse_rule(body.rule), local, find_zone(time_zone), without=without)
    except RuleError as error:
        raise ProblemError(BAD_RULE, field="rule", value=body.rule, rule="rrule", reason=error.phrase) from None
    if not starts:
        raise ProblemError(
            BAD_RULE,
            field="rule",
            value=body.rule,
            rule="rrule",
            reason=Phrase("it meets on no day", "لا توافق أي يوم"),
        )
    length = timedelta(minutes=body.duration_minutes)
    check_times(starts[0], starts[0] + length)
    return starts


async def _find(call: Call[Any, Any, Any], series_id: UUID) -> tuple[Row[Any], ClassTies]:
    """Return a series that the caller sees, and what ties them to its classes; raises ProblemError (`not_found`)."""
    transaction = call.transaction
    statement = select(class_series).where(class_series.c.org_id == transaction.org_id, class_series.c.id == series_id)
    row = await transaction.first(statement)
    if row is not None:
        statement = select(live_class).where(
            live_class.c.org_id == transaction.org_id, live_class.c.series_id == series_id
        )
        first = await transaction.first(statement.order_by(live_class.c.starts_at).limit(1))
        assert first is not None, "a series has classes"
        ties = (await class_ties(transaction, call.caller.user_id, [first]))[first.id]
        if may_read_class(permissions_of(call.caller.roles), ties):
            return row, ties
    raise not_found(THE_SERIES)


async def _view(transaction: Transaction, row: Row[Any]) -> SeriesView:
    count = await transaction.value(
        select(func.count())
        .select_from(live_class)
        .where(live_class.c.org_id == transaction.org_id, live_class.c.series_id == row.id)
    )
    return SeriesView(
        id=row.id,
        title=row.title,
        description=row.description,
        rule=row.rule,
        starts_local=row.starts_local,
        duration_minutes=row.duration_s // 60,
        time_zone=row.time_zone,
        without=tuple(row.without),
        course_id=row.course_id,
        group_id=row.group_id,
        host_id=row.host_id,
        classes=count,
        version=row.version,
        created_at=row.created_at,
    )
