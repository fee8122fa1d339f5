"""The middleware that counts requests by address, refuses who asks too often, and tells how much is left."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from control_api.errors import Handler, error_response
from control_api.protection.client_address import Network, bucket_of, client_address, is_trusted
from control_api.rate_limits import Limit, RateLimits, Verdict
from control_api.rest.problems import Problem, ProblemError

logger = logging.getLogger(__name__)

FORWARDED_FOR: Final = "X-Forwarded-For"
CODE: Final = Problem.RATE_LIMITED.code

VERDICT: Final = web.RequestKey("verdict", Verdict)
"""The tightest limit that a request met; becomes its RateLimit headers."""

_NOT_COUNTED: Final = frozenset({"/livez", "/readyz"})
"""Who asks whether we live must always hear."""

_GROUPS: Final = (
    (Limit.PAGES, ("/sdk/", "/class")),
    (Limit.JOINS, ("/v1/rooms/{room}/ws", "/v1/rooms/{room}/ice-servers", "/whip/", "/whep/")),
)
"""How patterns of routes begin; all others are the API."""


class RequestPace:
    """Counts the requests of one server; `middleware` is to be its outermost."""

    def __init__(self, limits: RateLimits, trusted: Sequence[Network]) -> None:
        self._limits = limits
        self._trusted = tuple(trusted)
        self._told = False

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            group, who = group_of(request), self.bucket(request)
            verdict = None
            if group is not None and who is not None:
                verdict = self._limits.take(group, who, now=time.monotonic())
                if not verdict.allowed:
                    return _refuse(verdict, group)
            response = await handler(request)
            if response.status == 401 and who is not None:
                failures = self._limits.take(Limit.FAILURES, who, now=time.monotonic())
                if not failures.allowed:
                    return _refuse(failures, group)
            if group is Limit.API and not response.prepared:
                _tell(response, request.get(VERDICT, verdict))
            return response

        return count

    def reading(self) -> dict[str, float]:
        """Return what is counted, for metrics."""
        return self._limits.reading()

    def bucket(self, request: web.Request) -> str | None:
        """Return under which name the sender of a request is counted, None if it is not."""
        forwarded = request.headers.getall(FORWARDED_FOR, [])
        peer = request.remote or ""
        if forwarded and not self._told and not is_trusted(peer, self._trusted):
            self._told = True
            logger.warning("requests are forwarded by a proxy that is not trusted; see the setting trusted_proxies")
        return bucket_of(client_address(peer, forwarded, self._trusted))

    def count_key(self, request: web.Request, key_id: str) -> None:
        """Count one request with an API key; raises ProblemError if there were too many."""
        verdict = self._limits.take(Limit.KEY, key_id, now=time.monotonic())
        if not verdict.allowed:
            raise ProblemError(Problem.RATE_LIMITED, headers=_headers(verdict))
        request[VERDICT] = verdict


def group_of(request: web.Request) -> Limit | None:
    """Return what kind of request it is; None for those that are not counted."""
    resource = request.match_info.route.resource
    pattern = resource.canonical if resource is not None else ""
    if pattern in _NOT_COUNTED:
        return None
    return next((group for group, beginnings in _GROUPS if pattern.startswith(beginnings)), Limit.API)


def _refuse(verdict: Verdict, group: Limit | None) -> web.Response:
    headers = _headers(verdict)
    if group is Limit.JOINS:  # asked by pages of other sites, too, which must be able to read why
        headers |= {
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
            hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: hdrs.RETRY_AFTER,
        }
    return error_response(429, CODE, Problem.RATE_LIMITED.meaning, headers)


def _tell(response: web.StreamResponse, verdict: Verdict | None) -> None:
    if verdict is not None and hdrs.RETRY_AFTER not in response.headers:
        response.headers.update(_headers(verdict))


def _headers(verdict: Verdict) -> dict[str, str]:
    headers = {"RateLimit-Limit": str(verdict.burst), "RateLimit-Remaining": str(verdict.left)}
    headers["RateLimit-Reset"] = str(verdict.full_s)
    if not verdict.allowed:
        headers[hdrs.RETRY_AFTER] = str(verdict.wait_s)
    return headers
