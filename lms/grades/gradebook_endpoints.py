"""Endpoints of whole gradebooks: of those who teach a course, and what students and guardians see."""

from __future__ import annotations

from uuid import UUID

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import fetch_page
from lms.api.problems import NOT_FOUND, not_found
from lms.courses.rules import CourseStatus
from lms.grades.category_endpoints import TAG
from lms.grades.gradebook import ask_gradebook_ahead, read_gradebook, read_grades
from lms.grades.members import course_of_student, course_to_read, courses_of_student, kin_of, students_of
from lms.grades.messages import (
    GradebookRow,
    GradebookRowPath,
    GradesOfCoursePath,
    GradesPageQuery,
    OwnGrades,
    OwnTotal,
    StudentQuery,
)
from lms.grades.problems import THE_STUDENT
from lms.grades.rules import Kin
from lms.grades.views import gradebook_row, own_grades, total_view
from lms.people.tables import app_user


class GradebookEndpoints:
    """Gradebooks and totals."""

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_gradebook",
                method="GET",
                path="/api/v1/courses/{course_id}/gradebook",
                summary="List a course's students with their grades and totals",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=GradesOfCoursePath,
                query=GradesPageQuery,
                answers={200: Reply("A page of students, by name.", list[GradebookRow])},
                problems=(NOT_FOUND,),
                run=self._list,
            ),
            Endpoint(
                operation="get_gradebook_row",
                method="GET",
                path="/api/v1/courses/{course_id}/gradebook/{user_id}",
                summary="Look at a student's line of the gradebook",
                tag=TAG,
                access=Permission.GRADES_READ,
                parameters=GradebookRowPath,
                answers={200: Reply("The line.", GradebookRow)},
                problems=(NOT_FOUND,),
                run=self._row,
            ),
            Endpoint(
                operation="get_own_grades",
                method="GET",
                path="/api/v1/courses/{course_id}/grades",
                summary="Look at your own grades in a course, or those of a student whom you look after",
                description="Only what is published is there, and counts.",
                tag=TAG,
                access=Permission.GRADES_READ_OWN,
                parameters=GradesOfCoursePath,
                query=StudentQuery,
                answers={200: Reply("The grades and their total.", OwnGrades)},
                problems=(NOT_FOUND,),
                run=self._own,
            ),
            Endpoint(
                operation="list_own_totals",
                method="GET",
                path="/api/v1/grades",
                summary="List your courses with what came out, or those of a student whom you look after",
                tag=TAG,
                access=Permission.GRADES_READ_OWN,
                query=StudentQuery,
                answers={200: Reply("All of them, by title.", list[OwnTotal])},
                problems=(NOT_FOUND,),
                run=self._totals,
            ),
        )

    async def _list(self, call: Call[GradesOfCoursePath, GradesPageQuery, Nothing]) -> Result:
        transaction = call.transaction
        course = await course_to_read(transaction, call.caller, call.path.course_id)
        order = (app_user.c.sort_key, app_user.c.id)
        students, following = await fetch_page(transaction, students_of(transaction, course.id), order, call.query)
        book = await read_gradebook(transaction, course.id)
        grades = await read_grades(transaction, book.item_ids, [row.id for row in students])
        rows = [gradebook_row(row, book, grades, at=transaction.now) for row in students]
        return Result(rows, next=following)

    async def _row(self, call: Call[GradebookRowPath, Nothing, Nothing]) -> Result:
        transaction = call.transaction
        course = await course_to_read(transaction, call.caller, call.path.course_id)
        student = await transaction.first(students_of(transaction, course.id, [call.path.user_id]))
        if student is None:
            raise not_found(THE_STUDENT)
        book = await read_gradebook(transaction, course.id)
        grades = await read_grades(transaction, book.item_ids, [student.id])
        return Result(gradebook_row(student, book, grades, at=transaction.now))

    async def _own(self, call: Call[GradesOfCoursePath, StudentQuery, Nothing]) -> Result:
        transaction = call.transaction
        student_id = call.query.student_id or call.caller.user_id
        ask_gradebook_ahead(transaction, call.path.course_id, published=True)
        course = await course_of_student(transaction, call.caller, call.path.course_id, student_id)
        book = await read_gradebook(transaction, course.id, published=True)
        grades = await read_grades(transaction, book.item_ids, [student_id])
        return Result(own_grades(course, student_id, book, grades, at=transaction.now))

    async def _totals(self, call: Call[Nothing, StudentQuery, Nothing]) -> Result:
        transaction = call.transaction
        student_id: UUID = call.query.student_id or call.caller.user_id
        if await kin_of(transaction, call.caller.user_id, student_id) is Kin.NOBODY:
            raise not_found(THE_STUDENT)
        totals = []
        courses = await transaction.rows(courses_of_student(transaction, student_id))
        for course in courses:
            ask_gradebook_ahead(transaction, course.id, published=True)
        for course in courses:
            if course.status is CourseStatus.DRAFT:
                continue
            book = await read_gradebook(transaction, course.id, published=True)
            grades = await read_grades(transaction, book.item_ids, [student_id])
            percent = total_view(book.total(student_id, grades, at=transaction.now)).percent
            totals.append(OwnTotal(course_id=course.id, title=course.title, percent=percent))
        return Result(totals)
