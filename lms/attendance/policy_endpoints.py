"""Endpoints of the rules of attendance: of the organization, and of courses that have their own."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.problems import FORBIDDEN, NOT_FOUND, ProblemError, not_found
from lms.attendance.messages import AttendanceCoursePath, PolicyView, SetPolicy
from lms.attendance.policy import Policy, PolicyError
from lms.attendance.problems import BAD_POLICY
from lms.attendance.rules import may_change_course, may_change_organization, may_read_course
from lms.attendance.sheet_endpoints import TAG
from lms.attendance.sight import see_course
from lms.attendance.store import choose_policy, policy_of, scope_of
from lms.attendance.tables import attendance_policy, attendance_run
from lms.attendance.views import policy_view
from lms.audit.record import record
from lms.classes.tables import class_run, live_class
from lms.courses.problems import THE_COURSE
from lms.database.transaction import Transaction
from lms.parts import Parts

_ORGANIZATION: Final = "/api/v1/attendance-policy"
_COURSE: Final = "/api/v1/courses/{course_id}/attendance-policy"
_SET: Final = (
    "The runs that it concerns are computed again at once; results that come out otherwise change, with history. "
    "Overrides stay. `If-Match` with the version that is there, 0 where none was set."
)


class PolicyEndpoints:
    """Rules of attendance."""

    def __init__(self, parts: Parts) -> None:
        self._ids = parts.ids

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        view = {200: Reply("The rules.", PolicyView)}
        return (
            Endpoint(
                operation="get_attendance_policy",
                method="GET",
                path=_ORGANIZATION,
                summary="Look at the rules of courses that have none of their own",
                tag=TAG,
                access=Permission.ATTENDANCE_READ,
                answers=view,
                run=self._get,
            ),
            Endpoint(
                operation="set_attendance_policy",
                method="PUT",
                path=_ORGANIZATION,
                summary="Set the rules of courses that have none of their own",
                description=_SET,
                tag=TAG,
                access=Permission.ATTENDANCE_WRITE,
                body=SetPolicy,
                answers=view,
                problems=(FORBIDDEN, BAD_POLICY),
                versioned=True,
                run=self._set,
            ),
            Endpoint(
                operation="get_course_attendance_policy",
                method="GET",
                path=_COURSE,
                summary="Look at the rules that a course goes by",
                tag=TAG,
                access=Permission.ATTENDANCE_READ,
                parameters=AttendanceCoursePath,
                answers=view,
                problems=(NOT_FOUND,),
                run=self._get_course,
            ),
            Endpoint(
                operation="set_course_attendance_policy",
                method="PUT",
                path=_COURSE,
                summary="Give a course rules of its own",
                description=_SET,
                tag=TAG,
                access=Permission.ATTENDANCE_WRITE,
                parameters=AttendanceCoursePath,
                body=SetPolicy,
                answers=view,
                problems=(FORBIDDEN, NOT_FOUND, BAD_POLICY),
                versioned=True,
                run=self._set_course,
            ),
            Endpoint(
                operation="delete_course_attendance_policy",
                method="DELETE",
                path=_COURSE,
                summary="Let a course go by the rules of the organization",
                tag=TAG,
                access=Permission.ATTENDANCE_WRITE,
                parameters=AttendanceCoursePath,
                answers={204: Reply("It does.")},
                problems=(FORBIDDEN, NOT_FOUND),
                run=self._delete_course,
            ),
        )

    async def _get(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        return await self._view(call.transaction, None)

    async def _get_course(self, call: Call[AttendanceCoursePath, Nothing, Nothing]) -> Result:
        _, ties = await see_course(call.transaction, call.caller, call.path.course_id)
        if not may_read_course(permissions_of(call.caller.roles), ties):
            raise not_found(THE_COURSE)
        return await self._view(call.transaction, call.path.course_id)

    async def _set(self, call: Call[Nothing, Nothing, SetPolicy]) -> Result:
        if not may_change_organization(permissions_of(call.caller.roles)):
            raise ProblemError(FORBIDDEN)
        await self._write(call, None)
        return await self._view(call.transaction, None)

    async def _set_course(self, call: Call[AttendanceCoursePath, Nothing, SetPolicy]) -> Result:
        await self._check_course(call)
        await self._write(call, call.path.course_id)
        return await self._view(call.transaction, call.path.course_id)

    async def _delete_course(self, call: Call[AttendanceCoursePath, Nothing, Nothing]) -> Result:
        await self._check_course(call)
        transaction, course_id = call.transaction, call.path.course_id
        own = (attendance_policy.c.org_id == transaction.org_id, attendance_policy.c.scope == scope_of(course_id))
        row = await transaction.first(select(attendance_policy).where(*own))
        if row is not None:
            await transaction.execute(delete(attendance_policy).where(*own))
            await record(call, "attendance_policy.delete", "course", course_id, old=_plain(policy_of(row)))
            await self._recompute(transaction, course_id)
        return Result(status=204)

    async def _check_course(self, call: Call[AttendanceCoursePath, Any, Any]) -> None:
        _, ties = await see_course(call.transaction, call.caller, call.path.course_id)
        permissions = permissions_of(call.caller.roles)
        if not may_change_course(permissions, ties):
            raise ProblemError(FORBIDDEN) if may_read_course(permissions, ties) else not_found(THE_COURSE)

    async def _write(self, call: Call[Any, Nothing, SetPolicy], course_id: UUID | None) -> None:
        transaction = call.transaction
        values = {each.name: getattr(call.body, each.name) for each in fields(Policy)}
        try:
            policy = Policy(**values)
        except PolicyError as error:
            value = str(values[error.field])
            raise ProblemError(
                BAD_POLICY, field=error.field, value=value, rule="range", expected=error.expected
            ) from None
        own = (attendance_policy.c.org_id == transaction.org_id, attendance_policy.c.scope == scope_of(course_id))
        row = await transaction.first(select(attendance_policy).where(*own).with_for_update())
        call.check_version(0 if row is None else row.version)
        values = asdict(policy) | {"changed_at": transaction.now}
        if row is None:
            key = {"org_id": transaction.org_id, "id": self._ids.new(), "course_id": course_id, "version": 1}
            await transaction.execute(insert(attendance_policy).values(**key, scope=scope_of(course_id), **values))
        else:
            await transaction.execute(update(attendance_policy).where(*own).values(version=row.version + 1, **values))
        old = None if row is None else _plain(policy_of(row))
        await record(call, "attendance_policy.set", "course", course_id, old=old, new=_plain(policy))
        await self._recompute(transaction, course_id)

    async def _recompute(self, transaction: Transaction, course_id: UUID | None) -> None:
        """Have every settled run computed again that goes by these rules."""
        runs = select(class_run.c.id).join(
            live_class, (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id)
        )
        runs = runs.where(class_run.c.org_id == transaction.org_id)
        if course_id is not None:
            runs = runs.where(live_class.c.course_id == course_id)
        await transaction.execute(
            update(attendance_run)
            .where(
                attendance_run.c.org_id == transaction.org_id,
                attendance_run.c.run_id.in_(runs),
                attendance_run.c.computed_at.is_not(None),
            )
            .values(due_at=transaction.now)
        )

    async def _view(self, transaction: Transaction, course_id: UUID | None) -> Result:
        chosen = await choose_policy(transaction, course_id)
        own = chosen.version if chosen.is_of_course == (course_id is not None) else 0
        return Result(policy_view(chosen, course_id), version=own)


def _plain(policy: Policy) -> dict[str, Any]:
    return asdict(policy) | {"min_percent": str(policy.min_percent), "time_window": policy.time_window.value}
