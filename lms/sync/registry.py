"""What can be done from a queue: modules add their operations, each a struct and what is done on it.

    operations.add("chat.delete", QueuedDeletion, delete, access=Permission.CHAT)

The function takes a transaction, who asks, and the struct.
An operation is a transaction of its own; what it raises undoes it, and is its result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lms.access.roles import Permission
from lms.api.caller import Caller
from lms.api.rate_limits import Limit
from lms.database.transaction import Transaction
from webapi.shapes import Request

BodyT = TypeVar("BodyT", bound=Request)
Run = Callable[[Transaction, Caller, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be done from a queue."""

    shape: type[Request]
    access: Permission
    limit: Limit
    run: Run


class Operations:
    """All of them, by kind."""

    def __init__(self) -> None:
        self._known: dict[str, Operation] = {}

    def add(
        self,
        kind: str,
        shape: type[BodyT],
        run: Callable[[Transaction, Caller, BodyT], Awaitable[Any]],
        *,
        access: Permission,
        limit: Limit = Limit.API,
    ) -> None:
        """Have an operation done by a function."""
        assert kind not in self._known, f"{kind} is somebody else's"
        self._known[kind] = Operation(shape, access, limit, run)

    @property
    def known(self) -> Mapping[str, Operation]:
        return self._known
