"""Tables of courses: the courses, their groups, and enrolment."""

from __future__ import annotations

import enum

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text

from lms.courses.rules import CourseRole, CourseStatus
from lms.database.tables import choice, reference, tenant_table
from lms.database.types import INTEGER, TEXT, Id, Json, Time


class EnrolmentStatus(enum.Enum):
    """Whether an enrolment counts."""

    ACTIVE = "active"
    COMPLETED = "completed"
    DROPPED = "dropped"
    """Ended before the course did."""
    EXPIRED = "expired"


class EnrolmentSource(enum.Enum):
    """How somebody came into a course."""

    MANUAL = "manual"
    CODE = "code"
    LTI = "lti"
    ONEROSTER = "oneroster"
    API = "api"
    """By a program."""


course = tenant_table(
    "course",
    *reference("branch_id", "branch", nullable=True),
    Column("code", TEXT),
    # Casefolded: nobody tells MATH-7 from math-7.
    Column("code_key", TEXT),
    Column("title", TEXT, nullable=False),
    Column("sort_key", TEXT, nullable=False),
    Column("description", TEXT, nullable=False),
    *choice("status", CourseStatus, nullable=False),
    Column("time_zone", TEXT, nullable=False),
    Column("max_students", INTEGER),
    # How the rooms of its classes are, where a class does not say more.
    Column("settings", Json, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("created_by", Id),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Column("deleted_at", Time),
    CheckConstraint("max_students > 0", name="max_students"),
    Index("ix_course_sort", "org_id", "sort_key", "id"),
    Index(
        "ux_course_code",
        "org_id",
        "code_key",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
        sqlite_where=text("deleted_at IS NULL"),
    ),
)

course_group = tenant_table(
    "course_group",
    *reference("course_id", "course"),
    Column("name", TEXT, nullable=False),
    Column("name_key", TEXT, nullable=False),
    Column("sort_key", TEXT, nullable=False, server_default=""),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    UniqueConstraint("org_id", "course_id", "name_key"),
)

group_member = tenant_table(
    "group_member",
    *reference("group_id", "course_group", on_delete="CASCADE"),
    *reference("user_id", "app_user"),
    Column("created_at", Time, nullable=False),
    Index("ix_group_member_user", "org_id", "user_id"),
    key=("group_id", "user_id"),
)

enrolment = tenant_table(
    "enrolment",
    *reference("course_id", "course"),
    *reference("user_id", "app_user"),
    *choice("role", CourseRole, nullable=False),
    *choice("status", EnrolmentStatus, nullable=False),
    *choice("source", EnrolmentSource, nullable=False),
    # Codes refer to courses; so this is no foreign key.
    Column("access_code_id", Id),
    Column("valid_from", Time),
    Column("valid_to", Time),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    CheckConstraint("valid_to > valid_from", name="valid"),
    UniqueConstraint("org_id", "course_id", "user_id", "role"),
    Index("ix_enrolment_user", "org_id", "user_id"),
)
"""It counts while it is active and now lies in [valid_from, valid_to); see `lms.courses.store.counts`."""
