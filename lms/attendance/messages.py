"""What the API says about attendance."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta

from lms.attendance.outcome import Standing, Status
from lms.attendance.policy import SECONDS_MAX, TimeWindow
from webapi.shapes import Answer, Request

LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f\u2028\u2029]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f\u2028\u2029]*$"
"""One line, not blank, without control characters, of which databases take not all."""
Reason: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=LINE_PATTERN, examples=["was in the room with Amal"])
]
Identity: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128, pattern=LINE_PATTERN)]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
Seconds: TypeAlias = Annotated[int, Meta(ge=0, le=SECONDS_MAX)]


class ClassPath(Request, frozen=True, kw_only=True):
    """Which live class."""

    class_id: UUID


class ClassPersonPath(Request, frozen=True, kw_only=True):
    """Who, in which live class."""

    class_id: UUID
    user_id: UUID


class AttendanceCoursePath(Request, frozen=True, kw_only=True):
    """Which course."""

    course_id: UUID


class AttendancePersonPath(Request, frozen=True, kw_only=True):
    """Whose attendance."""

    user_id: UUID


class RunQuery(Request, frozen=True, kw_only=True):
    """Which run of a class that was held more than once."""

    run_id: UUID | None = None
    """The newest by default."""


class PeriodQuery(Request, frozen=True, kw_only=True):
    """Which runs."""

    since: Moment | None = None
    """Those that began then or later."""
    until: Moment | None = None
    """Those that began before."""


class Override(Answer, frozen=True, kw_only=True):
    """What a person decided instead of the rules."""

    status: Status
    by: UUID
    at: datetime
    reason: str


class AttendanceRow(Answer, frozen=True, kw_only=True):
    """One person in one run."""

    user_id: UUID
    code: str
    name: str
    status: Status
    """What counts: the override if there is one, else what was computed."""
    computed: Status
    """What the rules say."""
    override: Override | None
    excused_reason: str | None
    present_s: int
    """Seconds of presence; several devices count once."""
    percent: Decimal
    """Presence in percent of the window, 0 to 100 with two decimals."""
    first_join: datetime | None
    last_leave: datetime | None
    joins: int
    """How often they came; gaps that the rules overlook are none."""
    late_s: int
    """Seconds from the start of the window to their coming."""
    early_s: int
    """Seconds from their going to the end of the window."""
    standing: Standing
    """Where they are now, or were at the end."""


class OtherRow(Answer, frozen=True, kw_only=True):
    """Somebody who came without being expected: staff, or a guest."""

    identity: str
    user_id: UUID | None
    """None for guests."""
    name: str
    present_s: int
    first_join: datetime | None
    last_leave: datetime | None
    joins: int
    standing: Standing


class AttendanceSheet(Answer, frozen=True, kw_only=True):
    """The attendance of one run."""

    run_id: UUID
    class_id: UUID
    course_id: UUID | None
    title: str
    state: Literal["live", "provisional", "final"]
    """`live`: so far. `provisional`: over, but events may still come. `final`: settled; what changes it is in the
    history."""
    window_start: datetime
    window_end: datetime
    incomplete: bool
    """Whether events were lost while it lasted: presence may be missing, none is invented."""
    policy: PolicyView
    counts: dict[str, int]
    """How many of those who were expected have each status."""
    members: tuple[AttendanceRow, ...]
    """Everybody who was expected, by name."""
    others: tuple[OtherRow, ...]


class IntervalView(Answer, frozen=True, kw_only=True):
    """One stay on one connection."""

    place: str
    """`main`, `breakout` or `lobby`."""
    start: datetime
    end: datetime
    """Now, while it lasts."""
    close: str | None
    """Why it ended: `leave`, `disconnect`, `suspend`, `kicked`, `moved`, `superseded`, `run_end`, `timeout` or
    `node_lost`."""


class ChangeView(Answer, frozen=True, kw_only=True):
    """One change of a result."""

    at: datetime
    actor_id: UUID | None
    """Nobody: it was computed again."""
    reason: str
    old: dict[str, Any] | None
    new: dict[str, Any]
    erased_at: datetime | None
    """When what was written was taken out, because the person was erased."""


class PersonAttendance(Answer, frozen=True, kw_only=True):
    """One person in one run, in detail."""

    row: AttendanceRow
    intervals: tuple[IntervalView, ...]
    history: tuple[ChangeView, ...]


class OverrideAttendance(Request, frozen=True, kw_only=True):
    """What somebody was, whatever was computed."""

    user_id: UUID
    status: Status | None
    """null takes an override back."""
    reason: Reason
    run_id: UUID | None = None
    """The newest by default."""


class ExcuseAbsence(Request, frozen=True, kw_only=True):
    """That somebody need not come."""

    user_id: UUID
    excused: bool
    """false takes it back."""
    reason: Reason
    run_id: UUID | None = None
    """The newest by default."""


class RecogniseGuest(Request, frozen=True, kw_only=True):
    """Who a guest was."""

    identity: Identity
    """As the sheet names the guest under `others`."""
    user_id: UUID | None
    """null takes it back."""
    reason: Reason
    run_id: UUID | None = None
    """The newest by default."""


class SetPolicy(Request, frozen=True, kw_only=True):
    """The rules of attendance; what is left out is as in an organization that has set none."""

    min_seconds: Seconds = 0
    """Less presence than this is `partial`."""
    min_percent: Decimal = Decimal(50)
    """Less of the window than this is `partial`, too: 0 to 100 with at most two decimals."""
    late_after_s: Seconds = 600
    """Whoever comes later than so long after the start is `late`."""
    early_leave_s: Seconds = 600
    """Whoever goes earlier than so long before the end has `left_early`."""
    gap_merge_s: Seconds = 60
    """Absences up to so long are no absence."""
    min_interval_s: Seconds = 0
    """Presence shorter than this in one piece is none."""
    count_lobby: bool = False
    """Whether waiting to be let in is presence. Media servers that tell nothing of their waiting rooms have none."""
    count_breakout: bool = True
    """Whether breakout rooms are class."""
    time_window: TimeWindow = TimeWindow.ACTUAL
    """Which time counts: as planned, as held, or what was both."""


class PolicyView(Answer, frozen=True, kw_only=True):
    """Rules of attendance."""

    scope: Literal["default", "organization", "course"]
    """Where they were set; `default`: nowhere."""
    version: int
    min_seconds: int
    min_percent: Decimal
    late_after_s: int
    early_leave_s: int
    gap_merge_s: int
    min_interval_s: int
    count_lobby: bool
    count_breakout: bool
    time_window: TimeWindow


class RateRow(Answer, frozen=True, kw_only=True):
    """One person over many runs."""

    user_id: UUID
    code: str
    name: str
    expected: int
    """Runs to which they were expected."""
    counts: dict[str, int]
    """How many of those have each status."""
    rate: Decimal | None
    """Percent of the runs that they attended (present, late or left early), excused ones left out; null if none is
    left."""
    present_s: int
    """Seconds of presence in all."""


class CourseAttendance(Answer, frozen=True, kw_only=True):
    """Attendance rates of a course, over its settled runs."""

    course_id: UUID
    title: str
    runs: int
    rate: Decimal | None
    """Over all students and runs."""
    students: tuple[RateRow, ...]


class PersonCourse(Answer, frozen=True, kw_only=True):
    """One course of a person."""

    course_id: UUID | None
    """null: classes outside of courses."""
    title: str | None
    expected: int
    counts: dict[str, int]
    rate: Decimal | None
    present_s: int


class PersonAttendanceOverview(Answer, frozen=True, kw_only=True):
    """Attendance of one person, course by course."""

    user_id: UUID
    rate: Decimal | None
    courses: tuple[PersonCourse, ...]
