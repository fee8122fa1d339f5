"""/api/v1/courses/{course_id}/groups: parts of a course that have classes of their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import PageQuery, fetch_page
from lms.api.problems import ALREADY_TAKEN, FORBIDDEN, NOT_FOUND, ProblemError, not_found
from lms.audit.record import record
from lms.courses.access import course_to_change, course_to_read
from lms.courses.messages import CoursePath, GroupMemberPath, GroupPath, GroupView, MemberView, WriteGroup
from lms.courses.problems import COURSE_ARCHIVED, GROUP_IN_USE, THE_GROUP, THE_STUDENT_OF_COURSE
from lms.courses.rules import may_see_members, may_write_course
from lms.courses.store import find_group, students_statement
from lms.courses.tables import course_group, group_member
from lms.database.transaction import Transaction
from lms.parts import Parts
from lms.people.tables import app_user
from lms.text import sort_key

TAG = "Courses"
PATH = "/api/v1/courses/{course_id}/groups"
GROUPS_MAX = 200
"""Of a course: all are listed at once."""


class GroupEndpoints:
    """Groups and their members."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        one, member = f"{PATH}/{{group_id}}", f"{PATH}/{{group_id}}/members/{{user_id}}"
        write, changes = Permission.COURSES_WRITE, (NOT_FOUND, COURSE_ARCHIVED)
        return (
            Endpoint(
                operation="list_groups", method="GET", path=PATH, summary="List the groups of a course", tag=TAG,
                access=Permission.COURSES_READ, parameters=CoursePath,
                answers={200: Reply(f"The groups by name; at most {GROUPS_MAX}.", list[GroupView])},
                problems=(NOT_FOUND,), run=self._list,
            ),
            Endpoint(
                operation="create_group", method="POST", path=PATH, summary="Make a group", tag=TAG, access=write,
                parameters=CoursePath, body=WriteGroup, answers={201: Reply("The group.", GroupView)},
                problems=(*changes, ALREADY_TAKEN), idempotency_key=True, run=self._create,
            ),
            Endpoint(
                operation="rename_group", method="PATCH", path=one, summary="Rename a group", tag=TAG, access=write,
                parameters=GroupPath, body=WriteGroup, answers={200: Reply("The group.", GroupView)},
                problems=(*changes, ALREADY_TAKEN), run=self._rename,
            ),
            Endpoint(
                operation="delete_group", method="DELETE", path=one, summary="Delete a group", tag=TAG, access=write,
                parameters=GroupPath, answers={204: Reply("Deleted.")}, problems=(*changes, GROUP_IN_USE),
                run=self._delete,
            ),
            Endpoint(
                operation="list_group_members", method="GET", path=f"{one}/members", summary="List a group's members",
                tag=TAG, access=Permission.COURSES_READ, parameters=GroupPath, query=PageQuery,
                answers={200: Reply("A page of members, by name.", list[MemberView])},
                problems=(NOT_FOUND, FORBIDDEN), run=self._members,
            ),
            Endpoint(
                operation="add_group_member", method="PUT", path=member, summary="Put a student into a group", tag=TAG,
                access=write, parameters=GroupMemberPath, answers={204: Reply("In the group.")}, problems=changes,
                run=self._add,
            ),
            Endpoint(
                operation="remove_group_member", method="DELETE", path=member, summary="Take somebody out of a group",
                tag=TAG, access=write, parameters=GroupMemberPath, answers={204: Reply("Not in the group.")},
                problems=changes, run=self._remove,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[CoursePath, Nothing, Nothing]) -> Result:
        await course_to_read(call.transaction, call.caller, call.path.course_id)
        rows = await call.transaction.rows(_groups(call.transaction, call.path.course_id))
        return Result([_view(row) for row in rows])

    async def _create(self, call: Call[CoursePath, Nothing, WriteGroup]) -> Result:
        transaction = call.transaction
        course = (await course_to_change(transaction, call.caller, call.path.course_id, may_write_course)).row
        await _check_name(transaction, course.id, call.body.name, but=None)
        group_id = self._parts.ids.new()
        await transaction.execute(
            insert(course_group).values(
                org_id=transaction.org_id, id=group_id, course_id=course.id, version=1, created_at=transaction.now,
                **_named(call.body.name),
            )
        )  # fmt: skip
        await record(call, "group.create", "course_group", group_id, new={"name": call.body.name})
        return Result(await _read(transaction, course.id, group_id), status=201)

    async def _rename(self, call: Call[GroupPath, Nothing, WriteGroup]) -> Result:
        transaction, group = call.transaction, await self._to_change(call)
        await _check_name(transaction, call.path.course_id, call.body.name, but=group.id)
        await transaction.execute(
            update(course_group)
            .where(course_group.c.org_id == transaction.org_id, course_group.c.id == group.id)
            .values(**_named(call.body.name), version=group.version + 1)
        )
        old, new = {"name": group.name}, {"name": call.body.name}
        await record(call, "group.rename", "course_group", group.id, old=old, new=new)
        return Result(await _read(transaction, call.path.course_id, group.id))

    async def _delete(self, call: Call[GroupPath, Nothing, Nothing]) -> Result:
        transaction, group = call.transaction, await self._to_change(call)
        own = (course_group.c.org_id == transaction.org_id, course_group.c.id == group.id)
        try:
            await transaction.execute(delete(course_group).where(*own))
        except IntegrityError:
            raise ProblemError(GROUP_IN_USE) from None
        await record(call, "group.delete", "course_group", group.id, old={"name": group.name})
        return Result(status=204)

    async def _members(self, call: Call[GroupPath, PageQuery, Nothing]) -> Result:
        transaction = call.transaction
        found = await course_to_read(transaction, call.caller, call.path.course_id)
        if await find_group(transaction, found.row.id, call.path.group_id) is None:
            raise not_found(THE_GROUP)
        if not may_see_members(permissions_of(call.caller.roles), found.ties):
            raise ProblemError(FORBIDDEN, rule="own_course")
        own = (group_member.c.org_id == app_user.c.org_id) & (group_member.c.user_id == app_user.c.id)
        statement = (
            select(app_user.c.id, app_user.c.code, app_user.c.display_name, app_user.c.sort_key)
            .join(group_member, own)
            .where(app_user.c.org_id == transaction.org_id, group_member.c.group_id == call.path.group_id)
        )
        rows, following = await fetch_page(transaction, statement, (app_user.c.sort_key, app_user.c.id), call.query)
        views = [MemberView(user_id=row.id, code=row.code, name=row.display_name) for row in rows]
        return Result(views, next=following)

    async def _add(self, call: Call[GroupMemberPath, Nothing, Nothing]) -> Result:
        transaction, group = call.transaction, await self._to_change(call)
        student = students_statement(transaction, group.course_id).where(app_user.c.id == call.path.user_id)
        if await transaction.first(student) is None:
            raise not_found(THE_STUDENT_OF_COURSE)
        await add_member(transaction, group.id, call.path.user_id)
        await record(call, "group.add", "course_group", group.id, new={"user_id": str(call.path.user_id)})
        return Result(status=204)

    async def _remove(self, call: Call[GroupMemberPath, Nothing, Nothing]) -> Result:
        transaction, group = call.transaction, await self._to_change(call)
        await transaction.execute(
            delete(group_member).where(
                group_member.c.org_id == transaction.org_id,
                group_member.c.group_id == group.id,
                group_member.c.user_id == call.path.user_id,
            )
        )
        await record(call, "group.remove", "course_group", group.id, old={"user_id": str(call.path.user_id)})
        return Result(status=204)

    @staticmethod
    async def _to_change(call: Call[Any, Any, Any]) -> Row[Any]:
        await course_to_change(call.transaction, call.caller, call.path.course_id, may_write_course)
        group = await find_group(call.transaction, call.path.course_id, call.path.group_id)
        if group is None:
            raise not_found(THE_GROUP)
        return group


async def add_member(transaction: Transaction, group_id: UUID, user_id: UUID) -> None:
    """Put somebody into a group; who is in it stays in it."""
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    values = {"org_id": transaction.org_id, "group_id": group_id, "user_id": user_id, "created_at": transaction.now}
    await transaction.execute(upsert(group_member).values(values).on_conflict_do_nothing())


def _named(name: str) -> dict[str, str]:
    """Return a name, by which key there is one of it in a course, and by which it sorts."""
    return {"name": name, "name_key": name.casefold(), "sort_key": sort_key(name)}


def _groups(transaction: Transaction, course_id: UUID) -> Any:
    members = (
        select(func.count())
        .select_from(group_member)
        .where(group_member.c.org_id == course_group.c.org_id, group_member.c.group_id == course_group.c.id)
        .scalar_subquery()
    )
    return (
        select(course_group, members.label("members"))
        .where(course_group.c.org_id == transaction.org_id, course_group.c.course_id == course_id)
        .order_by(course_group.c.sort_key, course_group.c.id)
        .limit(GROUPS_MAX)
    )


async def _read(transaction: Transaction, course_id: UUID, group_id: UUID) -> GroupView:
    return _view(await transaction.one(_groups(transaction, course_id).where(course_group.c.id == group_id)))


def _view(row: Row[Any]) -> GroupView:
    return GroupView(id=row.id, course_id=row.course_id, name=row.name, members=row.members, created_at=row.created_at)


async def _check_name(transaction: Transaction, course_id: UUID, name: str, *, but: UUID | None) -> None:
    rows = await transaction.rows(
        select(course_group.c.id, course_group.c.name_key).where(
            course_group.c.org_id == transaction.org_id, course_group.c.course_id == course_id
        )
    )
    if any(row.name_key == name.casefold() and row.id != but for row in rows):
        raise ProblemError(ALREADY_TAKEN, field="name", value=name, rule="unique")
    if but is None and len(rows) >= GROUPS_MAX:
        raise ProblemError(ALREADY_TAKEN, field="name", value=f"{GROUPS_MAX} groups", rule="count")
