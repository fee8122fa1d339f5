"""What is said about live classes, their runs and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lms.api.paging import PageQuery
from lms.classes.room import RoomSettings
from lms.classes.rules import Seat
from lms.classes.status import ClassStatus, Deed
from lms.classes.tables import InviteStatus, RunEnd
from lms.courses.messages import PEOPLE_AT_ONCE_MAX, DescriptionText, Moment, TitleText, ZoneText
from webapi.shapes import Answer, Request

ReasonText: TypeAlias = Annotated[str, Meta(max_length=500)]
DeviceText: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,32}$", examples=["phone"])]
ExternalText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
People: TypeAlias = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=PEOPLE_AT_ONCE_MAX)]

DURATION_S_MAX: Final = 12 * 3600


class ClassPath(Request, frozen=True, kw_only=True):
    class_id: UUID


class InvitePath(ClassPath, frozen=True, kw_only=True):
    user_id: UUID


class ClassQuery(PageQuery, frozen=True, kw_only=True):
    """Which live classes, by when they begin."""

    since: Moment | None = None
    """That end after this."""
    until: Moment | None = None
    """That begin before this."""
    course_id: UUID | None = None
    series_id: UUID | None = None
    parent_id: UUID | None = None
    """The breakouts of a class; they are in no other list."""
    status: ClassStatus | None = None


class CreateClass(Request, frozen=True, kw_only=True):
    """Plan a live class."""

    title: TitleText
    starts_at: Moment
    ends_at: Moment
    """At most 12 hours later."""
    time_zone: ZoneText | None = None
    """On whose clock it is planned; left out: the course's, or the organization's."""
    description: DescriptionText = ""
    course_id: UUID | None = None
    """Whose students may join; without a course, who is invited."""
    group_id: UUID | None = None
    """Of the course: only its members may join."""
    invited_only: bool = False
    """Students of the course need an invitation, too."""
    settings: RoomSettings | None = None
    """Left out: as the course has it."""
    external_id: ExternalText | None = None
    """Another program's name for it."""


class ChangeClass(Request, frozen=True, kw_only=True):
    """What is to be different; what is left out stays. When it begins cannot be changed once it has begun."""

    title: TitleText | UnsetType = UNSET
    description: DescriptionText | UnsetType = UNSET
    starts_at: Moment | UnsetType = UNSET
    ends_at: Moment | UnsetType = UNSET
    time_zone: ZoneText | UnsetType = UNSET
    group_id: UUID | UnsetType | None = UNSET
    invited_only: bool | UnsetType = UNSET
    settings: RoomSettings | UnsetType = UNSET


class RunView(Answer, frozen=True, kw_only=True):
    """One time that a class was held."""

    id: UUID
    class_id: UUID
    parent_run_id: UUID | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: RunEnd | None


class ClassView(Answer, frozen=True, kw_only=True):
    """A live class."""

    id: UUID
    title: str
    description: str
    status: ClassStatus
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    course_id: UUID | None
    group_id: UUID | None
    series_id: UUID | None
    parent_id: UUID | None
    """The class that it is a breakout of."""
    host_id: UUID
    external_id: str | None
    invited_only: bool
    settings: RoomSettings
    locked: bool
    cancel_reason: str | None
    run: RunView | None
    """The one that lasts now."""
    seat: Seat | None
    """As what you would sit in it."""
    allowed: tuple[Deed, ...]
    """What you may do with it now."""
    version: int
    created_at: datetime
    updated_at: datetime


class CancelClass(Request, frozen=True, kw_only=True):
    """Call a class off."""

    reason: ReasonText = ""


class LockClass(Request, frozen=True, kw_only=True):
    """Whether the door is locked: who is in stays, and comes back; nobody else gets in."""

    locked: bool


class Join(Request, frozen=True, kw_only=True):
    """Take a seat."""

    device: DeviceText | None = None
    """A name for a further device of yours; without it, joining again takes the place of the stay before."""


class Ticket(Answer, frozen=True, kw_only=True):
    """What opens the room of a class, for one person and one device."""

    url: str
    """The media server."""
    room: str
    token: str
    identity: str
    """Who you are in the room."""
    seat: Seat
    expires_at: datetime
    link: str
    """The media server's own page. The part behind # reaches no log; do not pass it on: it holds the token."""
    run_id: UUID
    recording_refused: str | None = None
    """Which quota of the organization is used up, so that nobody can record: `storage_bytes` or `recording_hours`."""


class Invite(Request, frozen=True, kw_only=True):
    """Invite people. Who is invited already stays so."""

    user_ids: People


class ReplyToInvite(Request, frozen=True, kw_only=True):
    """What you say to an invitation; you may join all the same."""

    status: InviteStatus


class InviteView(Answer, frozen=True, kw_only=True):
    """Somebody who is invited."""

    user_id: UUID
    code: str
    name: str
    status: InviteStatus
    created_at: datetime


class Breakout(Request, frozen=True, kw_only=True):
    """One breakout."""

    title: TitleText
    user_ids: Annotated[tuple[UUID, ...], Meta(max_length=PEOPLE_AT_ONCE_MAX)] = ()
    """Students who may join it; nobody: all students of the class may."""


class CreateBreakouts(Request, frozen=True, kw_only=True):
    """Divide a class into rooms; those who teach it may enter all of them."""

    breakouts: Annotated[tuple[Breakout, ...], Meta(min_length=1, max_length=50)]
    settings: RoomSettings | None = None
    """Left out: as the class has it, without its waiting room."""


DayText: TypeAlias = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-12-01"])]
LocalText: TypeAlias = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$", examples=["2026-11-22T09:00"])]


class SeriesPath(Request, frozen=True, kw_only=True):
    series_id: UUID


class CreateSeries(Request, frozen=True, kw_only=True):
    """Plan classes by a rule; each becomes a class of its own, which can be moved and cancelled."""

    title: TitleText
    rule: Annotated[str, Meta(min_length=1, max_length=300, examples=["FREQ=WEEKLY;BYDAY=SU,TU;UNTIL=20270531"])]
    """RFC 5545: DAILY, WEEKLY or MONTHLY, ending by COUNT or UNTIL."""
    starts_local: LocalText
    """The first day, and when classes begin on the clock on the wall, summer and winter."""
    duration_minutes: Annotated[int, Meta(ge=1, le=DURATION_S_MAX // 60)] = 60
    time_zone: ZoneText | None = None
    without: Annotated[tuple[DayText, ...], Meta(max_length=400)] = ()
    """Days without class."""
    description: DescriptionText = ""
    course_id: UUID | None = None
    group_id: UUID | None = None
    invited_only: bool = False
    settings: RoomSettings | None = None


class SeriesView(Answer, frozen=True, kw_only=True):
    """A series of classes."""

    id: UUID
    title: str
    description: str
    rule: str
    starts_local: str
    duration_minutes: int
    time_zone: str
    without: tuple[str, ...]
    course_id: UUID | None
    group_id: UUID | None
    host_id: UUID
    classes: int
    """How many there are, those that were held or cancelled too."""
    version: int
    created_at: datetime


class ChangedClasses(Answer, frozen=True, kw_only=True):
    """How many classes it concerned."""

    classes: int


class CalendarPath(Request, frozen=True, kw_only=True):
    calendar_id: UUID


class CalendarFilePath(Request, frozen=True, kw_only=True):
    secret: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{20,100}$")]


class CreateCalendar(Request, frozen=True, kw_only=True):
    """A calendar for one program, e.g. that of your phone; give each its own, to take it away alone."""

    name: TitleText


class CalendarView(Answer, frozen=True, kw_only=True):
    """A calendar that programs may read."""

    id: UUID
    name: str
    created_at: datetime
    read_at: datetime | None
    """When it was last read, within a day."""
    url: str | None = None
    """Told once, when it is made. Whoever knows it sees when your classes are, and nothing else."""
