"""What is said about requests for somebody's data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from lms.personal.tables import RequestKind, RequestState
from webapi.shapes import Answer, Request


class RequestPath(Request, frozen=True, kw_only=True):
    request_id: UUID


class PersonPath(Request, frozen=True, kw_only=True):
    user_id: UUID


class Erasure(Request, frozen=True, kw_only=True):
    """Who is erased, said twice: it cannot be undone."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    """Of the account."""


class DataRequest(Answer, frozen=True, kw_only=True):
    """A request for somebody's data."""

    id: UUID
    user_id: UUID
    kind: RequestKind
    state: RequestState
    requested_by: UUID
    counts: dict[str, int]
    """Once it is done: how many rows of each section were told, or deleted or changed."""
    size_bytes: int | None
    created_at: datetime
    done_at: datetime | None
    expires_at: datetime | None
    """Until then the archive can be fetched."""
