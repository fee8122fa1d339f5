"""What is asked and answered about categories, items and grades. Points, weights and percents are decimals as text."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lms.api.paging import PageQuery
from lms.grades.amounts import POINTS_PATTERN, WEIGHT_PATTERN
from lms.grades.from_attendance import Basis
from lms.grades.tables import ItemKind, Source
from lms.grades.total import GradeState
from lms.grades.writing import Outcome
from webapi.shapes import Answer, Request

Points = Annotated[str, Meta(pattern=POINTS_PATTERN, max_length=10, examples=["7.5"])]
Weight = Annotated[str, Meta(pattern=WEIGHT_PATTERN, max_length=8, examples=["40"])]
Share = Annotated[str, Meta(pattern=r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$", max_length=6, examples=["0.5"])]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Feedback = Annotated[str, Meta(max_length=5000)]
Reason = Annotated[str, Meta(min_length=1, max_length=300)]
Position = Annotated[int, Meta(ge=1, le=10_000)]
DropLowest = Annotated[int, Meta(ge=0, le=100)]
DueAt = Annotated[datetime, Meta(tz=True)]
Version = Annotated[int, Meta(ge=0, le=1 << 53)]

ROWS_MAX = 100
"""Of one bulk entry: as many as a page has."""


class GradesOfCoursePath(Request, frozen=True, kw_only=True):
    """A course."""

    course_id: UUID


class CategoryPath(Request, frozen=True, kw_only=True):
    """A category."""

    category_id: UUID


class ItemPath(Request, frozen=True, kw_only=True):
    """An item."""

    item_id: UUID


class GradePath(Request, frozen=True, kw_only=True):
    """A student in an item."""

    item_id: UUID
    user_id: UUID


class GradebookRowPath(Request, frozen=True, kw_only=True):
    """A student in a course."""

    course_id: UUID
    user_id: UUID


class StudentQuery(Request, frozen=True, kw_only=True):
    """Whose."""

    student_id: UUID | None = None
    """A student that you look after; without it you yourself."""


class GradesPageQuery(PageQuery, frozen=True, kw_only=True):
    """Which students."""


class NewCategory(Request, frozen=True, kw_only=True):
    """A kind of work."""

    name: Name
    weight: Weight
    """Against the other categories; need not sum up to 100. With 0 it counts nothing."""
    drop_lowest: DropLowest = 0
    """So many of its lowest results are left out, but never the last one."""


class CategoryChange(Request, frozen=True, kw_only=True):
    """What is to be different."""

    name: Name | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    drop_lowest: DropLowest | UnsetType = UNSET
    position: Position | UnsetType = UNSET


class CategoryView(Answer, frozen=True, kw_only=True):
    """A category."""

    id: UUID
    course_id: UUID
    name: str
    weight: str
    drop_lowest: int
    position: int
    version: int


class Shares(Request, frozen=True, kw_only=True):
    """Which part of the points each attendance is worth, from 0 to 1; who is excused is excused."""

    present: Share = "1"
    late: Share = "0.5"
    left_early: Share = "0.5"
    partial: Share = "0.25"
    absent: Share = "0"


class AttendanceScale(Request, frozen=True, kw_only=True):
    """How attendance becomes points."""

    basis: Basis = Basis.STATUS
    shares: Shares = Shares()
    """Of basis `status`."""


class NewItem(Request, frozen=True, kw_only=True):
    """A piece of work."""

    category_id: UUID
    title: Title
    """No other item of the course may have it: it heads the item's column in files."""
    kind: Literal["manual", "attendance", "external"] = "manual"
    """`attendance`: the service fills it in from classes that are over; what people write stays."""
    class_id: UUID | None = None
    """Of `attendance`: one live class; without it all classes of the course."""
    scale: AttendanceScale | None = None
    """Of `attendance`."""
    max_points: Points
    weight: Weight = "1"
    """Within its category; with 0 it counts nothing."""
    due_at: DueAt | None = None
    """From then on what is missing counts 0; without it at once."""
    hidden: bool = True
    """Whether students and guardians see nothing of it yet."""


class ItemChange(Request, frozen=True, kw_only=True):
    """What is to be different."""

    category_id: UUID | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    scale: AttendanceScale | UnsetType = UNSET
    max_points: Points | UnsetType = UNSET
    """At least what anybody has."""
    weight: Weight | UnsetType = UNSET
    due_at: DueAt | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET
    locked: bool | UnsetType = UNSET
    """Locked: nobody writes its grades, the service neither."""


class ItemView(Answer, frozen=True, kw_only=True):
    """An item."""

    id: UUID
    course_id: UUID
    category_id: UUID
    title: str
    kind: ItemKind
    class_id: UUID | None
    scale: AttendanceScale | None
    max_points: str
    weight: str
    due_at: datetime | None
    hidden: bool
    locked: bool
    position: int
    version: int


class GradeInput(Request, frozen=True, kw_only=True):
    """A grade as it is to be."""

    state: GradeState
    points: Points | None = None
    """With `graded`, and only then; at most what the item has."""
    feedback: Feedback | UnsetType | None = UNSET
    """For the student; left out, it stays as it is."""
    reason: Reason | None = None
    """For the history, e.g. why it was changed."""


class BulkEntry(Request, frozen=True, kw_only=True):
    """One student's grade."""

    user_id: UUID
    version: Version
    """The one that was seen, and that it replaces; 0 where there was none."""
    state: GradeState
    points: Points | None = None
    """With `graded`, and only then; at most what the item has."""
    feedback: Feedback | UnsetType | None = UNSET
    """For the student; left out, it stays as it is."""


class BulkInput(Request, frozen=True, kw_only=True):
    """Grades of several students in one item."""

    grades: Annotated[list[BulkEntry], Meta(min_length=1, max_length=ROWS_MAX)]
    reason: Reason | None = None


class GradeView(Answer, frozen=True, kw_only=True):
    """What a student has in an item."""

    item_id: UUID
    user_id: UUID
    state: GradeState
    points: str | None
    source: Source | None
    """None: nobody wrote it yet."""
    feedback: str | None
    graded_by: UUID | None
    version: int
    """For `If-Match`; 0: nobody wrote it yet."""
    updated_at: datetime | None


class GradeOutcome(Answer, frozen=True, kw_only=True):
    """What became of one entry."""

    user_id: UUID
    outcome: Outcome
    grade: GradeView
    """As it is now."""


class StudentGradeView(Answer, frozen=True, kw_only=True):
    """A student, and what they have in an item."""

    user_id: UUID
    code: str
    name: str
    grade: GradeView


class ChangeView(Answer, frozen=True, kw_only=True):
    """One change of a grade."""

    version: int
    old_state: GradeState
    old_points: str | None
    new_state: GradeState
    new_points: str | None
    source: Source
    actor_id: UUID | None
    """None: the service itself."""
    reason: str | None
    at: datetime
    erased_at: datetime | None
    """When the reason was taken out, because the student was erased."""


class CategoryPercent(Answer, frozen=True, kw_only=True):
    """What came out in one category."""

    category_id: UUID
    percent: str
    dropped: list[UUID]
    """Items that were left out as the lowest."""


class TotalView(Answer, frozen=True, kw_only=True):
    """What came out: of what counts so far, rounded once, halves to even."""

    percent: str | None
    """None: nothing counts yet."""
    categories: list[CategoryPercent]


class GradebookRow(Answer, frozen=True, kw_only=True):
    """A student's line: hidden items count too."""

    user_id: UUID
    code: str
    name: str
    grades: list[GradeView]
    """Those that somebody wrote, in the order of the items."""
    total: TotalView
    published_total: TotalView
    """What the student sees."""


class OwnItem(Answer, frozen=True, kw_only=True):
    """A published item, and the grade in it."""

    id: UUID
    category_id: UUID
    title: str
    max_points: str
    due_at: datetime | None
    state: GradeState
    points: str | None
    feedback: str | None
    updated_at: datetime | None


class OwnCategory(Answer, frozen=True, kw_only=True):
    """A category, as students see it."""

    id: UUID
    name: str
    weight: str
    drop_lowest: int


class OwnGrades(Answer, frozen=True, kw_only=True):
    """What a student sees of their grades in a course: what is published."""

    course_id: UUID
    title: str
    student_id: UUID
    categories: list[OwnCategory]
    items: list[OwnItem]
    total: TotalView


class OwnTotal(Answer, frozen=True, kw_only=True):
    """A course and what came out in it, of what is published."""

    course_id: UUID
    title: str
    percent: str | None


class ImportQuery(Request, frozen=True, kw_only=True):
    """Whether it is meant."""

    confirm: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    """`fingerprint` of the preview. Without it nothing is written: the answer is the preview."""


class CellReport(Answer, frozen=True, kw_only=True):
    """What is to become of one cell."""

    line: int
    """Of the file, from 1; the head is the first."""
    column: str
    student: str
    """As the file calls them."""
    outcome: Literal["new", "changed", "unchanged", "rejected"]
    old: str | None
    new: str | None
    problem: str | None
    """Why it is rejected, in the language of the request."""


class ImportReport(Answer, frozen=True, kw_only=True):
    """What is in the file, and what became of it."""

    written: bool
    fingerprint: str
    """Of exactly these changes: hand it back as `confirm` to have them written."""
    lines: int
    changes: int
    unchanged: int
    rejected: int
    cells: list[CellReport]
    """All but the unchanged ones; the first 1000."""
