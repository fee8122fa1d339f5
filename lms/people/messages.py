"""What is said about people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lms.access.roles import Role
from lms.api.languages import Language
from lms.api.paging import PageQuery
from lms.people.tables import UserStatus
from webapi.shapes import Answer, Request

CODE_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9_.-]{1,31}$"
EMAIL_PATTERN: Final = r"^[^@\s<>,;:\"]{1,64}@[^@\s<>,;:\"]{1,189}$"

CodeText = Annotated[str, Meta(pattern=CODE_PATTERN, examples=["TCH1001"])]
EmailText = Annotated[str, Meta(pattern=EMAIL_PATTERN, max_length=254, examples=["muna@example.org"])]
LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f\u2028\u2029]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f\u2028\u2029]*$"
"""One line, not blank, without control characters."""
NameText = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE_PATTERN, examples=["Muna Al-Harbi"])]
ShortText = Annotated[str, Meta(min_length=1, max_length=100, pattern=LINE_PATTERN)]
ExternalText = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE_PATTERN)]
PhoneText = Annotated[str, Meta(pattern=r"^\+?[0-9 ()-]{5,30}$", examples=["+966 55 123 4567"])]
ZoneText = Annotated[str, Meta(min_length=1, max_length=64, examples=["Asia/Riyadh"])]
RoleList = Annotated[tuple[Role, ...], Meta(max_length=8)]


class UserPath(Request, frozen=True, kw_only=True):
    user_id: UUID


class GuardianPath(Request, frozen=True, kw_only=True):
    user_id: UUID
    """The student."""
    observer_id: UUID
    """Who looks after them."""


class UserQuery(PageQuery, frozen=True, kw_only=True):
    """Which people; in the order of their names."""

    role: Role | None = None
    status: UserStatus | None = None
    search: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Part of the name, in whatever spelling of alef and case; or the whole code, address or external id."""


class CreateUser(Request, frozen=True, kw_only=True):
    """Somebody new; without a password: invite them."""

    name: NameText
    code: CodeText | None = None
    """Left out: one is made, e.g. TCH1001 or STU1001."""
    email: EmailText | None = None
    external_id: ExternalText | None = None
    """In another system."""
    phone: PhoneText | None = None
    given_name: ShortText | None = None
    family_name: ShortText | None = None
    language: Language | None = None
    time_zone: ZoneText | None = None
    roles: RoleList = (Role.STUDENT,)
    invite: bool = False
    """Mail a link with which they choose a password."""


class ChangeUser(Request, frozen=True, kw_only=True):
    """What changes; what is left out stays, null takes away."""

    name: NameText | UnsetType = UNSET
    code: CodeText | UnsetType = UNSET
    email: EmailText | UnsetType | None = UNSET
    external_id: ExternalText | UnsetType | None = UNSET
    phone: PhoneText | UnsetType | None = UNSET
    given_name: ShortText | UnsetType | None = UNSET
    family_name: ShortText | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    time_zone: ZoneText | UnsetType | None = UNSET
    status: UserStatus | UnsetType = UNSET


class SetRoles(Request, frozen=True, kw_only=True):
    """All roles of somebody in the whole organization."""

    roles: RoleList


class User(Answer, frozen=True, kw_only=True):
    """A person with an account."""

    id: UUID
    code: str
    name: str
    email: str | None
    email_verified: bool
    external_id: str | None
    phone: str | None
    given_name: str | None
    family_name: str | None
    language: Language | None
    time_zone: str | None
    status: UserStatus
    roles: tuple[Role, ...]
    created_at: datetime
    last_login_at: datetime | None
    version: int


class Guardian(Answer, frozen=True, kw_only=True):
    """Somebody who looks after a student, or is looked after."""

    id: UUID
    code: str
    name: str


class ImportQuery(Request, frozen=True, kw_only=True):
    """How a file is taken."""

    dry_run: bool = False
    """Say what would be done, and do nothing."""
    invite: bool = False
    """Mail an invitation to everybody new who has an address."""


class ImportLine(Answer, frozen=True, kw_only=True):
    """What became of one line."""

    line: int
    """Counted from 1, the line with the names of the columns."""
    action: str
    """`created`, `updated`, `unchanged` or `refused`."""
    code: str | None = None
    user_id: UUID | None = None
    field: str | None = None
    """Of a refused line: the column at fault,"""
    value: str | None = None
    """what stood there,"""
    message: str | None = None
    """and what is wrong, in the language of the request."""


class ImportReport(Answer, frozen=True, kw_only=True):
    """What became of a file: if one line is refused, nothing was written."""

    dry_run: bool
    written: bool
    created: int
    updated: int
    unchanged: int
    refused: int
    lines: tuple[ImportLine, ...]
