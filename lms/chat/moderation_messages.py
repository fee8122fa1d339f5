"""What is asked and answered by those who keep order."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta

from lms.api.paging import PageQuery
from lms.chat.messages import Moment, RoomPath
from lms.chat.tables import ReportReason, ReportStatus
from webapi.shapes import Answer, Request

ReasonText: TypeAlias = Annotated[str, Meta(max_length=300)]
NoteText: TypeAlias = Annotated[str, Meta(max_length=1000)]
SearchText: TypeAlias = Annotated[str, Meta(min_length=2, max_length=100, pattern=r"\S")]


class Verdict(enum.Enum):
    """What became of a report."""

    RESOLVED = "resolved"
    DISMISSED = "dismissed"


class HoldPath(RoomPath, frozen=True, kw_only=True):
    user_id: UUID


class ReportPath(Request, frozen=True, kw_only=True):
    report_id: UUID


class Mute(Request, frozen=True, kw_only=True):
    """For how long somebody is to be silent."""

    until: Moment
    """Within a year."""
    reason: ReasonText = ""


class Ban(Request, frozen=True, kw_only=True):
    """Why somebody is put out."""

    reason: ReasonText = ""


class MemberOfRoom(Answer, frozen=True, kw_only=True):
    """Somebody in a room."""

    user_id: UUID
    name: str
    status: Literal["online", "away", "offline"]
    last_seen_at: datetime | None
    """When they were there last; null while they are, or if they never were."""
    muted_until: datetime | None
    """Told to those who keep order."""
    banned: bool


class ReportMessage(Request, frozen=True, kw_only=True):
    """What is wrong with a message."""

    reason: ReportReason
    note: NoteText = ""


class ReportQuery(PageQuery, frozen=True, kw_only=True):
    """Which reports."""

    status: ReportStatus | None = None
    room_id: UUID | None = None


class CloseReport(Request, frozen=True, kw_only=True):
    """What became of a report."""

    status: Verdict
    answer: NoteText = ""


class Report(Answer, frozen=True, kw_only=True):
    """A message that somebody finds something wrong with."""

    id: UUID
    room_id: UUID
    message_id: UUID
    body: str
    """As it was when it was reported."""
    sender_id: UUID | None
    sender_name: str | None
    reporter_id: UUID
    reporter_name: str
    reason: ReportReason
    note: str
    status: ReportStatus
    answer: str
    created_at: datetime
    closed_at: datetime | None
    closed_by: UUID | None


class Reported(Answer, frozen=True, kw_only=True):
    """A report that was made."""

    id: UUID


class Cleared(Answer, frozen=True, kw_only=True):
    """A room that was cleared."""

    messages: int
    """So many were in it."""


class Revision(Answer, frozen=True, kw_only=True):
    """An earlier text of a message."""

    number: int
    body: str
    replaced_at: datetime


class ExportQuery(Request, frozen=True, kw_only=True):
    """As what."""

    format: Literal["csv", "json"] = "csv"


class SearchQuery(Request, frozen=True, kw_only=True):
    """What to look for."""

    q: SearchText
    """However it is written: case, accents, vowel signs and forms of alef make no difference."""
    room_id: UUID | None = None
    """Without it: in all of your rooms."""
    before: UUID | None = None
    """The last message of the page before."""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
