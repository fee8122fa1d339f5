"""What is said about webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lms.api.paging import PageQuery
from lms.webhooks.rules import URL_CHARACTERS_MAX
from lms.webhooks.tables import DeliveryState
from webapi.shapes import Answer, Request

NameText = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
UrlText = Annotated[str, Meta(min_length=8, max_length=URL_CHARACTERS_MAX, examples=["https://erp.example.org/halqa"])]
TopicText = Annotated[str, Meta(min_length=1, max_length=64, examples=["class.started"])]
Topics = Annotated[tuple[TopicText, ...], Meta(min_length=1, max_length=50)]


class WebhookPath(Request, frozen=True, kw_only=True):
    webhook_id: UUID


class CreateWebhook(Request, frozen=True, kw_only=True):
    """A receiver: another program."""

    name: NameText
    url: UrlText
    topics: Topics = ("*",)
    """What it is told of; `*`: everything that there is a topic for, also later."""


class ChangeWebhook(Request, frozen=True, kw_only=True):
    """What changes; what is left out stays."""

    name: NameText | UnsetType = UNSET
    url: UrlText | UnsetType = UNSET
    topics: Topics | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    """While it is not, nothing is noted for it; what waits goes on waiting."""


class RotateSecret(Request, frozen=True, kw_only=True):
    """A new secret."""

    overlap_s: Annotated[int, Meta(ge=0, le=2_592_000)] = 604_800
    """For so long deliveries are signed with the old one, too."""


class DeliveryQuery(PageQuery, frozen=True, kw_only=True):
    """Which events; the latest first."""

    state: DeliveryState | None = None


class WebhookView(Answer, frozen=True, kw_only=True):
    """A receiver, and how it fares."""

    id: UUID
    name: str
    url: str
    topics: tuple[str, ...]
    active: bool
    previous_secret_until: datetime | None
    """Until then deliveries are signed with the secret before the present one, too."""
    waiting: int
    """Events that it has not taken yet."""
    dead: int
    """Events that were given up; `replay` has them delivered again."""
    failures: int
    """In a row."""
    failing_since: datetime | None
    error: str | None
    """Why the last attempt failed."""
    next_attempt_at: datetime | None
    """While it fails."""
    succeeded_at: datetime | None
    created_at: datetime
    version: int


class WebhookWithSecret(Answer, frozen=True, kw_only=True):
    """A receiver with its secret: the only time that it is told."""

    webhook: WebhookView
    secret: str
    """For checking signatures as Standard Webhooks has them; `whsec_` and base64."""


class DeliveryView(Answer, frozen=True, kw_only=True):
    """One event for one receiver."""

    event_id: UUID
    topic: str
    data: dict[str, Any]
    state: DeliveryState
    attempts: int
    created_at: datetime
    ended_at: datetime | None
    error: str | None


class Replaying(Answer, frozen=True, kw_only=True):
    """What is delivered again."""

    events: int


class TopicView(Answer, frozen=True, kw_only=True):
    """Something that a webhook can be told of."""

    topic: str
    meaning: str
