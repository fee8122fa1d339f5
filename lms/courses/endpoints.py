"""/api/v1/courses: list, make, look at, change and put away courses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import Row, insert, select, update

from lms.access.roles import Permission, Role, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import fetch_page
from lms.api.phrases import Phrase
from lms.api.problems import ALREADY_TAKEN, BAD_CURSOR, NOT_FOUND, ProblemError, bad_field, not_found
from lms.audit.record import record
from lms.classes.calendar.zones import ZoneError, find_zone
from lms.classes.room import RoomSettings
from lms.courses.access import course_to_change, course_to_read
from lms.courses.enrol import Terms, enrol
from lms.courses.enrolments import EnrolmentEndpoints
from lms.courses.groups import GroupEndpoints
from lms.courses.messages import ChangeCourse, CoursePath, CourseQuery, CourseView, CreateCourse
from lms.courses.problems import COURSE_ARCHIVED, THE_COURSE
from lms.courses.rules import CourseRole, CourseStatus, Ties, may_write_course
from lms.courses.store import NO_TIES, ask_ties_ahead, courses_seen_by, find_course, lock_course, ties_in
from lms.courses.tables import EnrolmentSource, course
from lms.database.transaction import Transaction
from lms.organizations.tables import branch, organization
from lms.parts import Parts
from lms.text import search_pattern, sort_key

TAG = "Courses"
PATH = "/api/v1/courses"


class CourseEndpoints:
    """Courses, with their groups and enrolment."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_courses",
                method="GET",
                path=PATH,
                summary="List courses",
                description="Yours, by title; with `courses:read_all` all of the organization.",
                tag=TAG,
                access=Permission.COURSES_READ,
                query=CourseQuery,
                answers={200: Reply("A page of courses.", list[CourseView])},
                problems=(BAD_CURSOR,),
                run=self._list,
            ),
            Endpoint(
                operation="create_course",
                method="POST",
                path=PATH,
                summary="Make a course",
                tag=TAG,
                access=Permission.COURSES_CREATE,
                body=CreateCourse,
                answers={201: Reply("The course.", CourseView)},
                problems=(ALREADY_TAKEN,),
                idempotency_key=True,
                run=self._create,
            ),
            Endpoint(
                operation="get_course",
                method="GET",
                path=f"{PATH}/{{course_id}}",
                summary="Look at a course",
                tag=TAG,
                access=Permission.COURSES_READ,
                parameters=CoursePath,
                answers={200: Reply("The course.", CourseView)},
                problems=(NOT_FOUND,),
                run=self._get,
            ),
            Endpoint(
                operation="change_course",
                method="PATCH",
                path=f"{PATH}/{{course_id}}",
                summary="Change a course",
                tag=TAG,
                access=Permission.COURSES_WRITE,
                parameters=CoursePath,
                body=ChangeCourse,
                answers={200: Reply("The course.", CourseView)},
                problems=(NOT_FOUND, ALREADY_TAKEN),
                versioned=True,
                run=self._change,
            ),
            Endpoint(
                operation="delete_course",
                method="DELETE",
                path=f"{PATH}/{{course_id}}",
                summary="Delete a course",
                description="Nobody sees it any more; what happened in it is kept.",
                tag=TAG,
                access=Permission.COURSES_WRITE_ALL,
                parameters=CoursePath,
                answers={204: Reply("Deleted.")},
                problems=(NOT_FOUND,),
                versioned=True,
                run=self._delete,
            ),
            *GroupEndpoints(self._parts).endpoints(),
            *EnrolmentEndpoints(self._parts).endpoints(),
        )

    async def _list(self, call: Call[Nothing, CourseQuery, Nothing]) -> Result:
        transaction, caller, query = call.transaction, call.caller, call.query
        statement = courses_seen_by(
            transaction.org_id,
            caller.user_id,
            transaction.now,
            query.status,
            None if query.q is None else search_pattern(query.q),
            all_of_them=Permission.COURSES_READ_ALL in permissions_of(caller.roles),
            by_status=query.status is not None,
            by_text=query.q is not None,
        )
        ask_ties_ahead(transaction, caller.user_id)
        rows, following = await fetch_page(transaction, statement, (course.c.sort_key, course.c.id), query)
        ties = await ties_in(transaction, [row.id for row in rows], caller.user_id)
        return Result([view(row, ties) for row in rows], next=following)

    async def _create(self, call: Call[Nothing, Nothing, CreateCourse]) -> Result:
        transaction, body, caller = call.transaction, call.body, call.caller
        zone = body.time_zone or await _zone_of_organization(transaction)
        check_zone(zone)
        await _check_code(transaction, body.code, but=None)
        await _check_branch(transaction, body.branch_id)
        course_id = self._parts.ids.new()
        await transaction.execute(
            insert(course).values(
                org_id=transaction.org_id,
                id=course_id,
                branch_id=body.branch_id,
                code=body.code,
                code_key=_key(body.code),
                title=body.title,
                sort_key=sort_key(body.title),
                description=body.description,
                status=body.status,
                time_zone=zone,
                max_students=body.max_students,
                settings=msgspec.to_builtins(body.settings),
                version=1,
                created_by=caller.user_id,
                created_at=transaction.now,
                updated_at=transaction.now,
            )
        )
        row = await lock_course(transaction, course_id)
        assert row is not None, "the course was made just now"
        if Role.TEACHER in caller.roles:
            terms = Terms(CourseRole.TEACHER, EnrolmentSource.MANUAL)
            await enrol(transaction, self._parts.ids, row, [caller.user_id], terms)
        await record(call, "course.create", "course", course_id, new={"title": body.title, "code": body.code})
        ties = await ties_in(transaction, [course_id], caller.user_id)
        location = {"Location": f"{PATH}/{course_id}"}
        return Result(view(row, ties), status=201, version=row.version, headers=location)

    async def _get(self, call: Call[CoursePath, Nothing, Nothing]) -> Result:
        found = await course_to_read(call.transaction, call.caller, call.path.course_id)
        return Result(view(found.row, {found.row.id: found.ties}), version=found.row.version)

    async def _change(self, call: Call[CoursePath, Nothing, ChangeCourse]) -> Result:
        transaction, body = call.transaction, call.body
        found = await course_to_change(
            transaction, call.caller, call.path.course_id, may_write_course, archived_too=True
        )
        call.check_version(found.row.version)
        if found.row.status is CourseStatus.ARCHIVED and body.status in {UNSET, CourseStatus.ARCHIVED}:
            raise ProblemError(COURSE_ARCHIVED)
        changed = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
        if "time_zone" in changed:
            check_zone(changed["time_zone"])
        if "code" in changed:
            await _check_code(transaction, changed["code"], but=found.row.id)
            changed["code_key"] = _key(changed["code"])
        if "title" in changed:
            changed["sort_key"] = sort_key(changed["title"])
        if "settings" in changed:
            changed["settings"] = msgspec.to_builtins(changed["settings"])
        old = {name: found.row._mapping[name] for name in changed}
        changed |= {"version": found.row.version + 1, "updated_at": transaction.now}
        await transaction.execute(update(course).where(*_one(transaction, found.row.id)).values(changed))
        await record(call, "course.change", "course", found.row.id, old=_plain(old), new=_plain(changed))
        row = await find_course(transaction, found.row.id)
        assert row is not None, "the course is locked"
        return Result(view(row, {row.id: found.ties}), version=row.version)

    async def _delete(self, call: Call[CoursePath, Nothing, Nothing]) -> Result:
        transaction = call.transaction
        row = await lock_course(transaction, call.path.course_id)
        if row is None:
            raise not_found(THE_COURSE)
        call.check_version(row.version)
        await transaction.execute(
            update(course)
            .where(*_one(transaction, row.id))
            .values(deleted_at=transaction.now, updated_at=transaction.now, version=row.version + 1)
        )
        await record(call, "course.delete", "course", row.id, old={"title": row.title, "code": row.code})
        return Result(status=204)


def view(row: Row[Any], ties: Mapping[UUID, Ties]) -> CourseView:
    """Return a course as it is told to somebody."""
    return CourseView(
        id=row.id,
        title=row.title,
        code=row.code,
        description=row.description,
        status=row.status,
        time_zone=row.time_zone,
        branch_id=row.branch_id,
        max_students=row.max_students,
        settings=msgspec.convert(row.settings, RoomSettings),
        roles=tuple(sorted(ties.get(row.id, NO_TIES), key=lambda role: role.value)),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def check_zone(name: str, field: str = "time_zone") -> None:
    """Raise ProblemError for what is no time zone."""
    try:
        find_zone(name)
    except ZoneError:
        raise bad_field(
            field, name, Phrase("a time zone such as Africa/Cairo", "منطقة زمنية مثل Africa/Cairo"), "choice"
        ) from None


def _one(transaction: Transaction, course_id: UUID) -> tuple[Any, ...]:
    return course.c.org_id == transaction.org_id, course.c.id == course_id


def _key(code: str | None) -> str | None:
    return None if code is None else code.casefold()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in {"sort_key", "code_key", "updated_at"}}


async def _check_code(transaction: Transaction, code: str | None, *, but: UUID | None) -> None:
    if code is None:
        return
    taken = await transaction.value(
        select(course.c.id).where(
            course.c.org_id == transaction.org_id, course.c.code_key == _key(code), course.c.deleted_at.is_(None)
        )
    )
    if taken not in {None, but}:
        raise ProblemError(ALREADY_TAKEN, field="code", value=code, rule="unique")


async def _check_branch(transaction: Transaction, branch_id: UUID | None) -> None:
    if branch_id is None:
        return
    own = (branch.c.org_id == transaction.org_id, branch.c.id == branch_id)
    if await transaction.first(select(branch.c.id).where(*own)) is None:
        raise bad_field(
            "branch_id", str(branch_id), Phrase("a branch of the organization", "فرع من المؤسسة"), "reference"
        )


async def _zone_of_organization(transaction: Transaction) -> str:
    statement = select(organization.c.time_zone).where(organization.c.id == transaction.org_id)
    return str(await transaction.value(statement))
