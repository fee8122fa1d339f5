"""What is said about recordings."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from lms.api.paging import PageQuery
from lms.classes.tables import RecordingState
from lms.courses.messages import TitleText
from webapi.shapes import Answer, Request


class RecordingPath(Request, frozen=True, kw_only=True):
    recording_id: UUID


class RecordingQuery(PageQuery, frozen=True, kw_only=True):
    """Which recordings."""

    class_id: UUID | None = None
    course_id: UUID | None = None
    state: RecordingState | None = None


class ChangeRecording(Request, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    name: TitleText | UnsetType = UNSET
    state: Literal["published", "unpublished"] | UnsetType = UNSET
    """Published: those whom the class is for see it. It must be processed."""
    protected: bool | UnsetType = UNSET
    """Protected recordings are not deleted, neither by age nor by hand."""


class FormatView(Answer, frozen=True, kw_only=True):
    """One form of a recording."""

    format: str
    url: str
    length_s: Decimal | None
    bytes: int | None


class RecordingView(Answer, frozen=True, kw_only=True):
    """A recording."""

    id: UUID
    class_id: UUID
    run_id: UUID
    course_id: UUID | None
    name: str
    state: RecordingState
    failure: str | None
    protected: bool
    started_at: datetime
    ended_at: datetime | None
    participants: int | None
    formats: tuple[FormatView, ...]
    version: int
