"""Endpoints of attendance rates: of a course, and of a person."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, select

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, File, Nothing, Reply, Result, Use
from lms.api.problems import NOT_FOUND, not_found
from lms.attendance.messages import (
    AttendanceCoursePath,
    AttendancePersonPath,
    CourseAttendance,
    PeriodQuery,
    PersonAttendanceOverview,
)
from lms.attendance.rates import (
    course_results,
    course_view,
    person_results,
    person_results_asked,
    person_view,
    titles_of,
)
from lms.attendance.reports import course_table
from lms.attendance.rules import may_read_course, may_read_person
from lms.attendance.sheet_endpoints import TAG
from lms.attendance.sight import children_of, people_of, see_course
from lms.attendance.spreadsheet import CSV_TYPE, XLSX_TYPE, as_csv, as_xlsx
from lms.audit.record import record
from lms.courses.problems import THE_COURSE
from lms.database.prepared import prepared
from lms.people.problems import THE_USER
from lms.people.tables import app_user

_COURSE: Final = "/api/v1/courses/{course_id}/attendance"


class RateEndpoints:
    """Attendance over many classes."""

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="get_course_attendance",
                method="GET",
                path=_COURSE,
                summary="Look at the attendance rates of a course",
                tag=TAG,
                access=Permission.ATTENDANCE_READ,
                parameters=AttendanceCoursePath,
                query=PeriodQuery,
                answers={200: Reply("The rates.", CourseAttendance)},
                problems=(NOT_FOUND,),
                run=self._get_course,
            ),
            *(
                Endpoint(
                    operation=f"download_course_attendance_{name}",
                    method="GET",
                    path=f"{_COURSE}.{name}",
                    summary=f"Download the attendance rates of a course as {name.upper()}",
                    tag=TAG,
                    access=Permission.ATTENDANCE_READ,
                    parameters=AttendanceCoursePath,
                    query=PeriodQuery,
                    answers={200: Reply("The file.", media_type=media_type)},
                    problems=(NOT_FOUND,),
                    use=Use.WRITE,
                    run=run,
                )
                for name, media_type, run in (
                    ("csv", CSV_TYPE, self._download_csv),
                    ("xlsx", XLSX_TYPE, self._download_xlsx),
                )
            ),
            Endpoint(
                operation="get_person_attendance_overview",
                method="GET",
                path="/api/v1/users/{user_id}/attendance",
                summary="Look at the attendance rates of a person",
                description="Of oneself, of the students that one looks after, or of anybody for who may see all.",
                tag=TAG,
                access=Permission.ATTENDANCE_READ_OWN,
                parameters=AttendancePersonPath,
                answers={200: Reply("The rates.", PersonAttendanceOverview)},
                problems=(NOT_FOUND,),
                run=self._get_person,
            ),
        )

    async def _get_course(self, call: Call[AttendanceCoursePath, PeriodQuery, Nothing]) -> Result:
        return Result(await self._see(call))

    async def _download_csv(self, call: Call[AttendanceCoursePath, PeriodQuery, Nothing]) -> Result:
        table = course_table(await self._see(call), call.language, call.transaction.now)
        return await self._download(call, File(as_csv(table), CSV_TYPE, "attendance.csv"))

    async def _download_xlsx(self, call: Call[AttendanceCoursePath, PeriodQuery, Nothing]) -> Result:
        table = course_table(await self._see(call), call.language, call.transaction.now)
        return await self._download(call, File(as_xlsx(table), XLSX_TYPE, "attendance.xlsx"))

    async def _download(self, call: Call[AttendanceCoursePath, PeriodQuery, Nothing], file: File) -> Result:
        await record(call, "attendance.download", "course", call.path.course_id, new={"format": file.media_type})
        return Result(file=file)

    async def _see(self, call: Call[AttendanceCoursePath, PeriodQuery, Nothing]) -> CourseAttendance:
        transaction, course_id = call.transaction, call.path.course_id
        row, ties = await see_course(transaction, call.caller, course_id)
        if not may_read_course(permissions_of(call.caller.roles), ties):
            raise not_found(THE_COURSE)
        results = await course_results(transaction, course_id, since=call.query.since, until=call.query.until)
        people = await people_of(transaction, {each.user_id for each in results})
        return course_view(course_id, row.title, results, people)

    async def _get_person(self, call: Call[AttendancePersonPath, Nothing, Nothing]) -> Result:
        transaction, user_id = call.transaction, call.path.user_id
        known = _known(transaction.org_id, user_id)
        transaction.ahead(known, person_results_asked(transaction, user_id))
        children = await children_of(transaction, call.caller)
        permissions = permissions_of(call.caller.roles)
        if (
            not may_read_person(permissions, call.caller.user_id, user_id, children)
            or await transaction.first(known) is None
        ):
            raise not_found(THE_USER)
        results = await person_results(transaction, user_id)
        titles = await titles_of(transaction, {each.course_id for each in results if each.course_id is not None})
        return Result(person_view(user_id, results, titles))


@prepared
def _known(org_id: Any, user_id: Any) -> Select[Any]:
    return select(app_user.c.id).where(app_user.c.org_id == org_id, app_user.c.id == user_id)
