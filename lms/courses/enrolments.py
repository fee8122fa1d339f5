"""/api/v1/courses/{course_id}/enrolments: who is in a course, as what, and until when."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import Row, Select, select, update

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import fetch_page
from lms.api.phrases import Phrase, same
from lms.api.problems import FORBIDDEN, NOT_FOUND, ProblemError, bad_field, not_found
from lms.audit.record import record
from lms.courses.access import check_moment, course_to_change, course_to_read
from lms.courses.enrol import Terms, enrol
from lms.courses.messages import ChangeEnrolment, CoursePath, Enrol, EnrolmentPath, EnrolmentQuery, EnrolmentView
from lms.courses.problems import COURSE_ARCHIVED, COURSE_FULL, THE_ENROLMENT
from lms.courses.rules import CourseRole, may_enrol, may_see_members
from lms.courses.store import count_students
from lms.courses.tables import EnrolmentSource, EnrolmentStatus, enrolment
from lms.database.transaction import Transaction
from lms.parts import Parts
from lms.people.tables import app_user

TAG = "Courses"
PATH = "/api/v1/courses/{course_id}/enrolments"


class EnrolmentEndpoints:
    """Enrolment."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        changes = (NOT_FOUND, FORBIDDEN, COURSE_ARCHIVED, COURSE_FULL)
        return (
            Endpoint(
                operation="list_enrolments", method="GET", path=PATH, summary="List who is in a course", tag=TAG,
                access=Permission.COURSES_READ, parameters=CoursePath, query=EnrolmentQuery,
                answers={200: Reply("A page of people, by name.", list[EnrolmentView])},
                problems=(NOT_FOUND, FORBIDDEN), run=self._list,
            ),
            Endpoint(
                operation="enrol", method="POST", path=PATH, summary="Enrol people", tag=TAG,
                description="All of them, or none. Who left the course before comes back.",
                access=Permission.ENROL, parameters=CoursePath, body=Enrol,
                answers={200: Reply("Those who were not in the course before, in this role.", list[EnrolmentView])},
                problems=changes, idempotency_key=True, run=self._enrol,
            ),
            Endpoint(
                operation="change_enrolment", method="PATCH", path=f"{PATH}/{{enrolment_id}}",
                summary="End an enrolment, or set its time", tag=TAG, access=Permission.ENROL,
                parameters=EnrolmentPath, body=ChangeEnrolment, answers={200: Reply("As it is now.", EnrolmentView)},
                problems=changes, run=self._change,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[CoursePath, EnrolmentQuery, Nothing]) -> Result:
        transaction, query = call.transaction, call.query
        found = await course_to_read(transaction, call.caller, call.path.course_id)
        if not may_see_members(permissions_of(call.caller.roles), found.ties):
            raise ProblemError(FORBIDDEN, rule="own_course")
        statement = _enrolments(transaction, found.row.id)
        if query.role is not None:
            statement = statement.where(enrolment.c.role == query.role)
        if query.status is not None:
            statement = statement.where(enrolment.c.status == query.status)
        rows, following = await fetch_page(transaction, statement, (app_user.c.sort_key, enrolment.c.id), query)
        return Result([_view(row) for row in rows], next=following)

    async def _enrol(self, call: Call[CoursePath, Nothing, Enrol]) -> Result:
        transaction, body, caller = call.transaction, call.body, call.caller
        found = await course_to_change(
            transaction, caller, call.path.course_id, lambda permissions, ties: may_enrol(permissions, ties, body.role)
        )
        check_moment("valid_from", body.valid_from)
        check_moment("valid_to", body.valid_to)
        if body.valid_from and body.valid_to and body.valid_from >= body.valid_to:
            raise bad_field(
                "valid_to", body.valid_to.isoformat(), Phrase("a time after valid_from", "وقت بعد valid_from"), "order"
            )
        await check_people(transaction, "user_ids", body.user_ids)
        terms = Terms(body.role, EnrolmentSource.MANUAL, valid_from=body.valid_from, valid_to=body.valid_to)
        new = await enrol(transaction, self._parts.ids, found.row, body.user_ids, terms)
        if not new:
            return Result([])
        await record(
            call, "course.enrol", "course", found.row.id,
            new={"role": body.role.value, "user_ids": [str(each) for each in new]},
        )  # fmt: skip
        statement = _enrolments(transaction, found.row.id).where(
            enrolment.c.user_id.in_(new), enrolment.c.role == body.role
        )
        rows = await transaction.rows(statement.order_by(app_user.c.sort_key, enrolment.c.id))
        return Result([_view(row) for row in rows])

    async def _change(self, call: Call[EnrolmentPath, Nothing, ChangeEnrolment]) -> Result:
        transaction, body = call.transaction, call.body
        course = (await course_to_change(transaction, call.caller, call.path.course_id, may_see_members)).row
        statement = _enrolments(transaction, course.id).where(enrolment.c.id == call.path.enrolment_id)
        row = await transaction.first(statement)
        if row is None:
            raise not_found(THE_ENROLMENT)
        found = await course_to_read(transaction, call.caller, course.id)
        if not may_enrol(found.permissions, found.ties, row.role):
            raise ProblemError(FORBIDDEN, rule="own_course")
        changed = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
        for name in ("valid_from", "valid_to"):
            check_moment(name, changed.get(name))
        begins, ends = changed.get("valid_from", row.valid_from), changed.get("valid_to", row.valid_to)
        if begins is not None and ends is not None and begins >= ends:
            raise bad_field(
                "valid_to", ends.isoformat(), Phrase("a time after valid_from", "وقت بعد valid_from"), "order"
            )
        comes_back = changed.get("status") is EnrolmentStatus.ACTIVE and row.status is not EnrolmentStatus.ACTIVE
        if comes_back and row.role is CourseRole.STUDENT and course.max_students is not None:
            taken = await count_students(transaction, course.id)
            if taken >= course.max_students:
                raise ProblemError(COURSE_FULL, value=taken, expected=same(course.max_students), rule="places")
        own = (enrolment.c.org_id == transaction.org_id, enrolment.c.id == row.id)
        await transaction.execute(update(enrolment).where(*own).values(**changed, updated_at=transaction.now))
        old = {name: row._mapping[name] for name in changed}
        await record(call, "enrolment.change", "enrolment", row.id, old=old, new=changed)
        return Result(_view(await transaction.one(statement)))


async def check_people(transaction: Transaction, field: str, user_ids: tuple[UUID, ...]) -> None:
    """Raise ProblemError unless all are people of the organization."""
    rows = await transaction.rows(
        select(app_user.c.id).where(
            app_user.c.org_id == transaction.org_id, app_user.c.id.in_(user_ids), app_user.c.deleted_at.is_(None)
        )
    )
    unknown = set(user_ids) - {row.id for row in rows}
    if unknown:
        raise bad_field(field, str(min(unknown)), Phrase("people of the organization", "أشخاص من المؤسسة"), "reference")


def _enrolments(transaction: Transaction, course_id: UUID) -> Select[Any]:
    return (
        select(enrolment, app_user.c.code, app_user.c.display_name, app_user.c.sort_key)
        .join(app_user, (app_user.c.org_id == enrolment.c.org_id) & (app_user.c.id == enrolment.c.user_id))
        .where(enrolment.c.org_id == transaction.org_id, enrolment.c.course_id == course_id)
    )


def _view(row: Row[Any]) -> EnrolmentView:
    return EnrolmentView(
        id=row.id,
        course_id=row.course_id,
        user_id=row.user_id,
        code=row.code,
        name=row.display_name,
        role=row.role,
        status=row.status,
        source=row.source,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        created_at=row.created_at,
    )
