"""Tables of grades: categories, items, what each student has in each item, and every change of that for good."""

from __future__ import annotations

import enum

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, text

from lms.database.tables import choice, reference, tenant_table
from lms.database.types import INTEGER, TEXT, Exact, Flag, Id, Json, Time
from lms.grades.total import GradeState


class ItemKind(enum.Enum):
    """Where an item's grades come from, if nobody writes them by hand."""

    MANUAL = "manual"
    ATTENDANCE = "attendance"
    POLL = "poll"
    EXTERNAL = "external"
    """Another program, e.g. by its key."""


class Source(enum.Enum):
    """Who wrote a grade last."""

    MANUAL = "manual"
    IMPORT = "import"
    AUTO = "auto"
    """The service itself; the only grades that it writes over."""


grade_category = tenant_table(
    "grade_category",
    *reference("course_id", "course"),
    Column("name", TEXT, nullable=False),
    Column("weight", Exact(7, 4), nullable=False),
    Column("drop_lowest", INTEGER, nullable=False),
    Column("position", INTEGER, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("deleted_at", Time),
    CheckConstraint("weight >= 0", name="weight"),
    CheckConstraint("drop_lowest >= 0", name="drop_lowest"),
    Index("ix_grade_category_course", "org_id", "course_id", "position", "id"),
)

grade_item = tenant_table(
    "grade_item",
    *reference("course_id", "course"),
    *reference("category_id", "grade_category"),
    Column("title", TEXT, nullable=False),
    # Casefolded: titles head the columns of files, so no two of a course may look the same.
    Column("title_key", TEXT, nullable=False),
    *choice("kind", ItemKind, nullable=False),
    # What its grades come from: a live class; of attendance without one all classes of the course.
    Column("ref_id", Id),
    Column("scale", Json),
    Column("max_points", Exact(9, 4), nullable=False),
    Column("weight", Exact(7, 4), nullable=False),
    Column("due_at", Time),
    Column("hidden", Flag, nullable=False),
    Column("locked_at", Time),
    Column("position", INTEGER, nullable=False),
    Column("version", INTEGER, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("deleted_at", Time),
    CheckConstraint("max_points > 0", name="max_points"),
    CheckConstraint("weight >= 0", name="weight"),
    Index("ix_grade_item_course", "org_id", "course_id", "position", "id"),
    Index(
        "ux_grade_item_title",
        "org_id",
        "course_id",
        "title_key",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
        sqlite_where=text("deleted_at IS NULL"),
    ),
    Index(
        "ux_grade_item_ref",
        "org_id",
        "course_id",
        "kind",
        "ref_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL AND ref_id IS NOT NULL"),
        sqlite_where=text("deleted_at IS NULL AND ref_id IS NOT NULL"),
    ),
)

grade = tenant_table(
    "grade",
    *reference("item_id", "grade_item"),
    *reference("user_id", "app_user"),
    *choice("state", GradeState, nullable=False),
    Column("points", Exact(9, 4)),
    *choice("source", Source, nullable=False),
    Column("feedback", TEXT),
    Column("graded_by", Id),
    Column("version", INTEGER, nullable=False),
    Column("updated_at", Time, nullable=False),
    CheckConstraint("points >= 0", name="points"),
    CheckConstraint("(state = 'graded') = (points IS NOT NULL)", name="graded_has_points"),
    CheckConstraint("version > 0", name="version"),
    Index("ix_grade_user", "org_id", "user_id"),
    key=("item_id", "user_id"),
)
"""What nobody wrote yet has no row, and version 0."""

grade_history = tenant_table(
    "grade_history",
    Column("item_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("version", INTEGER, nullable=False),
    *choice("old_state", GradeState, nullable=False),
    Column("old_points", Exact(9, 4)),
    *choice("new_state", GradeState, nullable=False),
    Column("new_points", Exact(9, 4)),
    *choice("source", Source, nullable=False),
    Column("actor_id", Id),
    Column("reason", TEXT),
    Column("at", Time, nullable=False),
    Column("erased_at", Time),
    ForeignKeyConstraint(["org_id", "item_id", "user_id"], ["grade.org_id", "grade.item_id", "grade.user_id"]),
    key=("item_id", "user_id", "version"),
    append_only=True,
)
"""One row for each version of a grade, written with it; nobody is the service itself.

`erased_at`: when the reason was taken out, because the student was erased.
"""
