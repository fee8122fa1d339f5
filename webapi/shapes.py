"""What the structs of every API are: those that come in refuse what they do not know, those that go out may grow."""

from __future__ import annotations

from msgspec import Struct


class Request(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a program asks; a field that is not named here refuses the whole request: it would mean nothing."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the server answers; later versions may add fields."""


class Nothing(Request, frozen=True, kw_only=True):
    """No parameters, or no body."""
