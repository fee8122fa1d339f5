"""Endpoints of one class: its sheet, as JSON and as files, one person of it, and what teachers change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, File, Nothing, Reply, Result, Use
from lms.api.problems import FORBIDDEN, NOT_FOUND, ProblemError, not_found
from lms.attendance.changing import Changes
from lms.attendance.computing import compute
from lms.attendance.facts import moment_of
from lms.attendance.messages import (
    AttendanceSheet,
    ChangeView,
    ClassPath,
    ClassPersonPath,
    ExcuseAbsence,
    IntervalView,
    OverrideAttendance,
    PersonAttendance,
    RecogniseGuest,
    RunQuery,
)
from lms.attendance.problems import NEVER_HELD, NO_GUEST, NOT_EXPECTED, THE_PERSON_IN_CLASS, THE_RUN_OF_CLASS
from lms.attendance.reports import sheet_table
from lms.attendance.rules import may_change_sheet, may_read_person, may_read_sheet
from lms.attendance.runs import HeldRun, find_run, newest_run
from lms.attendance.sight import children_of, people_of, see_class
from lms.attendance.spreadsheet import CSV_TYPE, XLSX_TYPE, as_csv, as_xlsx
from lms.attendance.store import read_results
from lms.attendance.tables import attendance_history
from lms.attendance.views import row_view, sheet_view
from lms.audit.record import record
from lms.classes.problems import THE_LIVE_CLASS
from lms.classes.room import user_of
from lms.database.transaction import Transaction
from lms.organizations.tables import organization
from lms.parts import Parts

TAG: Final = "Attendance"
_PATH: Final = "/api/v1/live-classes/{class_id}/attendance"
_SPREADSHEETS: Final = ((".csv", "csv", CSV_TYPE), (".xlsx", "xlsx", XLSX_TYPE))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A sheet, and what it was made of."""

    run: HeldRun
    view: AttendanceSheet


class SheetEndpoints:
    """Attendance of one class."""

    def __init__(self, parts: Parts) -> None:
        self._ids = parts.ids
        self._outbox = parts.outbox

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="get_class_attendance",
                method="GET",
                path=_PATH,
                summary="Look at the attendance of a class",
                description="Everybody who was expected has a row, whether they came or not; who else came stands "
                "apart. While the class lasts everything is so far; two minutes after its end it is settled.",
                tag=TAG,
                access=Permission.ATTENDANCE_READ,
                parameters=ClassPath,
                query=RunQuery,
                answers={200: Reply("The sheet.", AttendanceSheet)},
                problems=(NOT_FOUND, NEVER_HELD),
                run=self._get,
            ),
            *(
                Endpoint(
                    operation=f"download_class_attendance_{name}",
                    method="GET",
                    path=f"{_PATH}{suffix}",
                    summary=f"Download the attendance of a class as {name.upper()}",
                    description="In the language of Accept-Language, with times of the organization's time zone. "
                    "Texts that a spreadsheet would calculate with are made harmless.",
                    tag=TAG,
                    access=Permission.ATTENDANCE_READ,
                    parameters=ClassPath,
                    query=RunQuery,
                    answers={200: Reply("The file.", media_type=media_type)},
                    problems=(NOT_FOUND, NEVER_HELD),
                    use=Use.WRITE,
                    run=self._download_csv if name == "csv" else self._download_xlsx,
                )
                for suffix, name, media_type in _SPREADSHEETS
            ),
            Endpoint(
                operation="get_person_attendance",
                method="GET",
                path=_PATH + "/{user_id}",
                summary="Look at the attendance of one person in a class",
                description="With every stay and every change of the result. Students see themselves.",
                tag=TAG,
                access=Permission.ATTENDANCE_READ_OWN,
                parameters=ClassPersonPath,
                query=RunQuery,
                answers={200: Reply("The person.", PersonAttendance)},
                problems=(NOT_FOUND, NEVER_HELD),
                run=self._get_person,
            ),
            *(
                Endpoint(
                    operation=operation,
                    method="POST",
                    path=f"{_PATH}/{name}",
                    summary=summary,
                    description="Stands in the history of the result and in the audit log, with the reason.",
                    tag=TAG,
                    access=Permission.ATTENDANCE_WRITE,
                    parameters=ClassPath,
                    body=body,
                    answers={200: Reply("The sheet as it is now.", AttendanceSheet)},
                    problems=(FORBIDDEN, NOT_FOUND, NEVER_HELD, problem),
                    idempotency_key=True,
                    run=run,
                )
                for operation, name, summary, body, problem, run in self._changes()
            ),
        )

    def _changes(self) -> tuple[tuple[str, str, str, Any, Any, Any], ...]:
        return (
            (
                "override_attendance",
                "override",
                "Decide what somebody was",
                OverrideAttendance,
                NOT_EXPECTED,
                self._override,
            ),
            ("excuse_absence", "excuse", "Excuse somebody", ExcuseAbsence, NOT_EXPECTED, self._excuse),
            ("recognise_guest", "recognise", "Say who a guest was", RecogniseGuest, NO_GUEST, self._recognise),
        )

    async def _get(self, call: Call[ClassPath, RunQuery, Nothing]) -> Result:
        return Result((await self._see(call)).view)

    async def _download_csv(self, call: Call[ClassPath, RunQuery, Nothing]) -> Result:
        return await self._download(call, "csv")

    async def _download_xlsx(self, call: Call[ClassPath, RunQuery, Nothing]) -> Result:
        return await self._download(call, "xlsx")

    async def _download(self, call: Call[ClassPath, RunQuery, Nothing], name: str) -> Result:
        seen = await self._see(call)
        table = sheet_table(seen.view, call.language, await zone_of(call.transaction))
        await record(call, "attendance.download", "class_run", seen.run.run_id, new={"format": name})
        content, media_type = (as_csv(table), CSV_TYPE) if name == "csv" else (as_xlsx(table), XLSX_TYPE)
        return Result(file=File(content, media_type, f"attendance-{seen.view.window_start:%Y-%m-%d}.{name}"))

    async def _get_person(self, call: Call[ClassPersonPath, RunQuery, Nothing]) -> Result:
        transaction, user_id = call.transaction, call.path.user_id
        seen = await see_class(transaction, call.caller, call.path.class_id)
        if not may_read_sheet(seen.permissions, seen.ties) and not may_read_person(
            seen.permissions, call.caller.user_id, user_id, await children_of(transaction, call.caller)
        ):
            raise not_found(THE_LIVE_CLASS)
        run = await _run_of(transaction, call.path.class_id, call.query.run_id)
        computed = await compute(transaction, run)
        outcome = next((each for each in computed.sheet.members if each.identity == str(user_id)), None)
        if outcome is None:
            raise not_found(THE_PERSON_IN_CLASS)
        stored = {row.user_id: row for row in await read_results(transaction, [run.run_id])}
        people = await people_of(transaction, [user_id])
        changes = await transaction.rows(
            select(attendance_history)
            .where(
                attendance_history.c.org_id == transaction.org_id,
                attendance_history.c.run_id == run.run_id,
                attendance_history.c.user_id == user_id,
            )
            .order_by(attendance_history.c.id)
        )
        mine = [each for each in computed.sheet.intervals if each.identity == str(user_id)]
        return Result(
            PersonAttendance(
                row=row_view(outcome, stored.get(user_id), people, computed.roster.get(user_id)),
                intervals=tuple(
                    IntervalView(
                        place=each.place.value,
                        start=moment_of(each.start_us),
                        end=moment_of(each.end_us),
                        close=None if each.close is None else each.close.value,
                    )
                    for each in mine
                ),
                history=tuple(
                    ChangeView(
                        at=row.at,
                        actor_id=row.actor_id,
                        reason=row.reason,
                        old=row.old,
                        new=row.new,
                        erased_at=row.erased_at,
                    )
                    for row in changes
                ),
            )
        )

    async def _override(self, call: Call[ClassPath, Nothing, OverrideAttendance]) -> Result:
        body = call.body
        run = await self._change(call, body.run_id)
        old, new = await self._changing(call, run).override(body.user_id, body.status, body.reason)
        return await self._changed(call, run, "attendance.override", body.user_id, old, new)

    async def _excuse(self, call: Call[ClassPath, Nothing, ExcuseAbsence]) -> Result:
        body = call.body
        run = await self._change(call, body.run_id)
        old, new = await self._changing(call, run).excuse(body.user_id, excused=body.excused, reason=body.reason)
        return await self._changed(call, run, "attendance.excuse", body.user_id, old, new)

    async def _recognise(self, call: Call[ClassPath, Nothing, RecogniseGuest]) -> Result:
        body = call.body
        run = await self._change(call, body.run_id)
        old, new = await self._changing(call, run).recognise(body.identity, body.user_id, body.reason)
        return await self._changed(call, run, "attendance.recognise", body.identity, old, new)

    def _changing(self, call: Call[Any, Any, Any], run: HeldRun) -> Changes:
        return Changes(call.transaction, self._ids, self._outbox, run, call.caller.user_id)

    async def _change(self, call: Call[ClassPath, Any, Any], run_id: UUID | None) -> HeldRun:
        """Return the run that is to be changed; raises ProblemError for who may not."""
        seen = await see_class(call.transaction, call.caller, call.path.class_id)
        if not may_change_sheet(seen.permissions, seen.ties):
            raise ProblemError(FORBIDDEN) if may_read_sheet(seen.permissions, seen.ties) else not_found(THE_LIVE_CLASS)
        return await _run_of(call.transaction, call.path.class_id, run_id)

    async def _changed(
        self, call: Call[Any, Any, Any], run: HeldRun, action: str, who: UUID | str, old: Any, new: Any
    ) -> Result:
        await record(call, action, "class_run", run.run_id, old={str(who): old}, new={str(who): new})
        return Result(await _view(call.transaction, run))

    async def _see(self, call: Call[ClassPath, RunQuery, Nothing]) -> _Seen:
        seen = await see_class(call.transaction, call.caller, call.path.class_id)
        if not may_read_sheet(seen.permissions, seen.ties):
            raise not_found(THE_LIVE_CLASS)
        run = await _run_of(call.transaction, call.path.class_id, call.query.run_id)
        return _Seen(run, await _view(call.transaction, run))


async def zone_of(transaction: Transaction) -> ZoneInfo:
    """Return the time zone of the organization."""
    return ZoneInfo(
        await transaction.value(select(organization.c.time_zone).where(organization.c.id == transaction.org_id))
    )


async def _run_of(transaction: Transaction, class_id: UUID, run_id: UUID | None) -> HeldRun:
    """Return a run of a class, by default the newest; raises ProblemError."""
    if run_id is None:
        run = await newest_run(transaction, class_id)
        if run is None:
            raise ProblemError(NEVER_HELD)
        return run
    run = await find_run(transaction, run_id)
    if run is None or run.class_id != class_id:
        raise not_found(THE_RUN_OF_CLASS)
    return run


async def _view(transaction: Transaction, run: HeldRun) -> AttendanceSheet:
    computed = await compute(transaction, run)
    came = {user_id for each in computed.sheet.others if (user_id := user_of(each.identity)) is not None}
    people = await people_of(transaction, computed.roster.keys() | came)
    results = await read_results(transaction, [run.run_id])
    return sheet_view(run, computed, results, people)
