"""What is said about courses, groups and enrolment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lms.api.paging import PageQuery
from lms.classes.room import RoomSettings
from lms.courses.rules import CourseRole, CourseStatus
from lms.courses.tables import EnrolmentSource, EnrolmentStatus
from webapi.shapes import Answer, Request

PEOPLE_AT_ONCE_MAX: Final = 500

TitleText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", examples=["الجبر 7ب"])]
CodeText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\s/]+$", examples=["MATH-7B"])]
DescriptionText: TypeAlias = Annotated[str, Meta(max_length=10_000)]
ZoneText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, examples=["Africa/Cairo"])]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
Seats: TypeAlias = Annotated[int, Meta(ge=1, le=100_000)]
SearchText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]


class CoursePath(Request, frozen=True, kw_only=True):
    course_id: UUID


class GroupPath(CoursePath, frozen=True, kw_only=True):
    group_id: UUID


class GroupMemberPath(GroupPath, frozen=True, kw_only=True):
    user_id: UUID


class EnrolmentPath(CoursePath, frozen=True, kw_only=True):
    enrolment_id: UUID


class CourseQuery(PageQuery, frozen=True, kw_only=True):
    """Which courses."""

    q: SearchText | None = None
    """Whose titles hold this, however it is written."""
    status: CourseStatus | None = None


class CreateCourse(Request, frozen=True, kw_only=True):
    """A new course; a teacher who makes it teaches it."""

    title: TitleText
    code: CodeText | None = None
    """Yours for it; unique, whatever the case."""
    description: DescriptionText = ""
    status: CourseStatus = CourseStatus.PUBLISHED
    time_zone: ZoneText | None = None
    """In which its classes are planned; left out: the organization's."""
    branch_id: UUID | None = None
    max_students: Seats | None = None
    settings: RoomSettings = RoomSettings()
    """How the rooms of its classes are, where a class does not say otherwise."""


class ChangeCourse(Request, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    title: TitleText | UnsetType = UNSET
    code: CodeText | UnsetType | None = UNSET
    description: DescriptionText | UnsetType = UNSET
    status: CourseStatus | UnsetType = UNSET
    time_zone: ZoneText | UnsetType = UNSET
    max_students: Seats | UnsetType | None = UNSET
    """Fewer than there are puts nobody out."""
    settings: RoomSettings | UnsetType = UNSET


class CourseView(Answer, frozen=True, kw_only=True):
    """A course."""

    id: UUID
    title: str
    code: str | None
    description: str
    status: CourseStatus
    time_zone: str
    branch_id: UUID | None
    max_students: int | None
    settings: RoomSettings
    roles: tuple[CourseRole, ...]
    """What you are in it now."""
    version: int
    created_at: datetime
    updated_at: datetime


class WriteGroup(Request, frozen=True, kw_only=True):
    """A group of a course."""

    name: TitleText


class GroupView(Answer, frozen=True, kw_only=True):
    """A group of a course."""

    id: UUID
    course_id: UUID
    name: str
    members: int
    created_at: datetime


class MemberView(Answer, frozen=True, kw_only=True):
    """A member of a group."""

    user_id: UUID
    code: str
    name: str


class EnrolmentQuery(PageQuery, frozen=True, kw_only=True):
    """Which people of a course."""

    role: CourseRole | None = None
    status: EnrolmentStatus | None = None


class Enrol(Request, frozen=True, kw_only=True):
    """Take people into a course. Who is in it already, in this role, stays as they are."""

    user_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=PEOPLE_AT_ONCE_MAX)]
    role: CourseRole = CourseRole.STUDENT
    valid_from: Moment | None = None
    valid_to: Moment | None = None


class ChangeEnrolment(Request, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    status: EnrolmentStatus | UnsetType = UNSET
    valid_from: Moment | UnsetType | None = UNSET
    valid_to: Moment | UnsetType | None = UNSET


class EnrolmentView(Answer, frozen=True, kw_only=True):
    """Somebody in a course."""

    id: UUID
    course_id: UUID
    user_id: UUID
    code: str
    name: str
    role: CourseRole
    status: EnrolmentStatus
    source: EnrolmentSource
    valid_from: datetime | None
    valid_to: datetime | None
    created_at: datetime
