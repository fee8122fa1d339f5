"""What is said about access codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from lms.api.paging import PageQuery
from lms.codes.code import CodeKind, CodeScope
from lms.courses.messages import Moment
from webapi.shapes import Answer, Request

CODES_AT_ONCE_MAX: Final = 500
USES_MAX: Final = 100_000


class CodePath(Request, frozen=True, kw_only=True):
    code_id: UUID


class Opens(Request, frozen=True, kw_only=True):
    """What codes open: exactly one of them."""

    course_id: UUID | None = None
    """Who redeems a code is enrolled as a student."""
    group_id: UUID | None = None
    """With a course: they are in this group, too."""
    class_id: UUID | None = None
    """Who redeems a code is invited to this live class."""
    recording_id: UUID | None = None
    """Who redeems a code sees this recording once it is published."""


class GenerateCodes(Opens, frozen=True, kw_only=True):
    """Make codes."""

    kind: CodeKind = CodeKind.SINGLE_USE
    count: Annotated[int, Meta(ge=1, le=CODES_AT_ONCE_MAX)] = 1
    max_uses: Annotated[int, Meta(ge=1, le=USES_MAX)] | None = None
    """By so many people each, of `multi_use` codes alone."""
    expires_at: Moment | None = None
    note: Annotated[str, Meta(max_length=200)] = ""
    """For yourself, e.g. for whom they are."""


class CodeQuery(PageQuery, frozen=True, kw_only=True):
    """Which codes: of one course, class or recording."""

    course_id: UUID | None = None
    class_id: UUID | None = None
    recording_id: UUID | None = None


class CodeView(Answer, frozen=True, kw_only=True):
    """A code."""

    id: UUID
    code: str | None
    """Told once, when it is made."""
    last_signs: str
    """The last four signs, to tell codes apart later."""
    scope: CodeScope
    course_id: UUID | None
    group_id: UUID | None
    class_id: UUID | None
    recording_id: UUID | None
    kind: CodeKind
    max_uses: int | None
    uses: int
    usable: bool
    """Whether somebody could redeem it now."""
    expires_at: datetime | None
    active: bool
    note: str
    created_by: UUID
    created_at: datetime


class RedemptionView(Answer, frozen=True, kw_only=True):
    """Somebody who redeemed a code."""

    user_id: UUID
    name: str
    at: datetime


class Redeem(Request, frozen=True, kw_only=True):
    """A code as somebody typed it."""

    code: Annotated[str, Meta(min_length=1, max_length=64, examples=["ABCD-EFGH-2345"])]
    """Small letters, spaces, dashes or none, and digits of any script: all are understood."""


class Redeemed(Answer, frozen=True, kw_only=True):
    """What a code opened."""

    scope: CodeScope
    id: UUID
    """Of the course, live class or recording."""
    title: str
    already: bool
    """It was open to you before; the code was not used up."""
