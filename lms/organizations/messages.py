"""What is said about organizations."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from lms.api.languages import Language
from lms.organizations.tables import OrganizationStatus, Plan
from webapi.shapes import Answer, Request

SLUG_PATTERN: Final = "^[a-z0-9][a-z0-9-]{1,98}[a-z0-9]$"
SlugText = Annotated[str, Meta(pattern=SLUG_PATTERN, examples=["al-noor"])]
TitleText = Annotated[str, Meta(min_length=3, max_length=255, pattern=r"\S")]
ColourText = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$", examples=["#07508f"])]
ZoneText = Annotated[str, Meta(min_length=1, max_length=64, examples=["Asia/Riyadh"])]
HOST_PATTERN: Final = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
HostText = Annotated[str, Meta(pattern=HOST_PATTERN, examples=["school.example.org"])]


class Branding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an organization looks."""

    primary_colour: ColourText | None = None
    secondary_colour: ColourText | None = None


class OrganizationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an organization chooses for itself."""

    branding: Branding = Branding()
    students_may_message: bool = True
    """Each other, privately."""
    mail_classes: bool = True
    """Whether people are mailed when they are invited to a class, and when it is changed or cancelled."""
    keep_chat_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """Null: for as long as the room is there."""
    keep_audit_days: Annotated[int, Meta(ge=90, le=3650)] | None = None
    """Null: for good."""
    keep_recordings_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Quota(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an organization may use; null: as much as there is. The operator sets it."""

    max_users: Annotated[int, Meta(ge=1)] | None = None
    max_rooms: Annotated[int, Meta(ge=1)] | None = None
    """Live classes at the same time."""
    max_participants: Annotated[int, Meta(ge=1)] | None = None
    """In one live class at the same time."""
    storage_bytes: Annotated[int, Meta(ge=0)] | None = None
    recording_hours: Annotated[int, Meta(ge=0)] | None = None


class Usage(Answer, frozen=True, kw_only=True):
    """What an organization uses now."""

    users: int
    rooms: int
    """Live classes that are being held."""
    storage_bytes: int
    """Of recordings."""
    recording_hours: int


class QuotaView(Answer, frozen=True, kw_only=True):
    """What an organization may use, and uses."""

    quota: Quota
    usage: Usage


class PublicOrganization(Answer, frozen=True, kw_only=True):
    """What anybody may know of an organization."""

    slug: str
    name: str
    language: Language
    time_zone: str
    branding: Branding


class PublicQuery(Request, frozen=True, kw_only=True):
    """Whose page it is."""

    organization: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Its slug; without one the address of the request says it."""


class HostPath(Request, frozen=True, kw_only=True):
    host: HostText
    """A name, e.g. `school.example.org`, without port."""


class HostState(enum.Enum):
    """Whether a host leads to an organization."""

    CLAIMED = "claimed"
    """Somebody of it says so; nothing follows until it is proven."""
    VERIFIED = "verified"


class HostView(Answer, frozen=True, kw_only=True):
    """A host, and how to prove whose it is: by a TXT record in DNS."""

    host: str
    state: HostState
    record_name: Annotated[str, Meta(examples=["_halqa-challenge.school.example.org"])]
    """Of the TXT record."""
    record_value: str
    """What it must hold."""
    created_at: datetime
    verified_at: datetime | None
    missing_since: datetime | None
    """Since when DNS does not hold the proof any more. The host leads to you still; make the record anew."""


class Organization(Answer, frozen=True, kw_only=True):
    """A tenant of the service."""

    id: UUID
    slug: str
    name: str
    plan: Plan
    status: OrganizationStatus
    time_zone: str
    language: Language
    settings: OrganizationSettings
    quota: Quota
    hosts: tuple[str, ...]
    """Verified addresses, at which nobody has to say of which organization they are."""
    created_at: datetime
    version: int


class ChangeOrganization(Request, frozen=True, kw_only=True):
    """What changes; what is left out stays."""

    name: TitleText | UnsetType = UNSET
    time_zone: ZoneText | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    settings: OrganizationSettings | UnsetType = UNSET


class BranchPath(Request, frozen=True, kw_only=True):
    branch_id: UUID


class CreateBranch(Request, frozen=True, kw_only=True):
    """A part of an organization, e.g. one of its buildings."""

    slug: SlugText
    name: TitleText
    settings: Annotated[dict[str, Any], Meta(max_length=50)] = field(default_factory=dict)
    """Passed on as they are."""


class ChangeBranch(Request, frozen=True, kw_only=True):
    """What changes; what is left out stays."""

    name: TitleText | UnsetType = UNSET
    settings: Annotated[dict[str, Any], Meta(max_length=50)] | UnsetType = UNSET


class Branch(Answer, frozen=True, kw_only=True):
    """A part of an organization."""

    id: UUID
    slug: str
    name: str
    settings: dict[str, Any]
    created_at: datetime
    version: int
