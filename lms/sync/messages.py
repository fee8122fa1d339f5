"""What is asked and answered about queues."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Final, TypeAlias

from msgspec import Meta

from lms.api.envelope import Error
from webapi.shapes import Answer, Request

OPERATIONS_MAX: Final = 100

NameText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$", examples=["phone-7f3c"])]
KindText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, examples=["chat.send"])]


class Outcome(enum.Enum):
    """What became of an operation."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    """It was applied before; its result is that of then."""
    CONFLICT = "conflict"
    """What is there now does not allow it: `error.details.more` has what is there, where that helps."""
    REJECTED = "rejected"
    """It will not work like this, now or later."""
    RETRY = "retry"
    """The server is busy: send it again, and all that come after it."""


class QueuedOperation(Request, frozen=True, kw_only=True):
    """One operation of a queue."""

    id: NameText
    """Chosen by the device, once for each operation."""
    kind: KindText
    body: dict[str, Any]
    """As the kind has it."""


class Synchronize(Request, frozen=True, kw_only=True):
    """A piece of a queue, in its order."""

    device_id: NameText
    """Chosen by the device, once."""
    operations: Annotated[tuple[QueuedOperation, ...], Meta(min_length=1, max_length=OPERATIONS_MAX)]


class OperationResult(Answer, frozen=True, kw_only=True):
    """What became of one operation."""

    id: str
    outcome: Outcome
    result: Any = None
    """Of what was applied, now or before."""
    error: Error | None = None
    """Of what was not."""


class Synchronized(Answer, frozen=True, kw_only=True):
    """What became of a piece of a queue."""

    results: tuple[OperationResult, ...]
    """In the order of the operations; all of them."""
