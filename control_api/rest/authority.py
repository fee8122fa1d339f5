"""Who asks: an API key with what it may be used for. How keys are shown and checked, an `Authority` knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import hdrs, web

from control_api.contract.scopes import Scope
from control_api.feed.authorize import authorize_by_key, parse_basic
from control_api.rest.problems import Problem, ProblemError
from signaling.keys import KeyStore


@dataclass(frozen=True, slots=True)
class Caller:
    """The API key behind a request."""

    key_id: str
    scopes: frozenset[Scope]
    secret: bytes = field(repr=False)
    """Signs tokens."""

    def check(self, scope: Scope) -> None:
        """Raise ProblemError unless the key may be used for this."""
        if scope not in self.scopes:
            raise ProblemError(Problem.MISSING_SCOPE, f"API key {self.key_id!r} has no scope {scope.value}")


class Authority(Protocol):
    """Knows the keys."""

    def identify(self, request: web.Request) -> Caller:
        """Return who asks; raises ProblemError (`no_key`, `bad_key`)."""


class KeyAuthority:
    """HTTP Basic with the id and secret of a key that may do everything."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._authorize = authorize_by_key(keys)

    def identify(self, request: web.Request) -> Caller:
        shown = parse_basic(request.headers.get(hdrs.AUTHORIZATION, ""))
        challenge: dict[str, str] = {hdrs.WWW_AUTHENTICATE: 'Basic realm="halqa"'}
        if shown is None:
            raise ProblemError(Problem.NO_KEY, headers=challenge)
        if self._authorize(request) is not None:
            raise ProblemError(Problem.BAD_KEY, headers=challenge)
        key_id, secret = shown
        return Caller(key_id, frozenset(Scope), secret)
