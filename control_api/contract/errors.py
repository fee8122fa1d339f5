"""The one shape of everything that is refused."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from control_api.contract.shapes import Answer


class Error(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused; it changed nothing."""

    code: str
    """For programs; never renamed."""
    message: str
    """A sentence for people, in English."""
    field: str | None = None
    """Where in the request the fault is, e.g. `limits.participants_max`."""
    value: Any = None
    """What stood there, shortened."""
    expected: str | None = None
    """What should have stood there."""


class ErrorAnswer(Answer, frozen=True, kw_only=True):
    """The body of every answer with a status of 400 or more."""

    error: Error
