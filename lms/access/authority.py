"""From a request to who asks: an access token in the header `Authorization`, or in a cookie that our own pages send."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from lms.access.access_tokens import BadTokenError, Claims, verify
from lms.access.standing import Standings
from lms.api.caller import Caller
from lms.api.phrases import same
from lms.api.problems import BAD_TOKEN, FOREIGN_ORIGIN, NOT_SIGNED_IN, ProblemError
from lms.clock import Clock

ACCESS_COOKIE: Final = "halqa_access"
REFRESH_COOKIE: Final = "halqa_refresh"
_CHALLENGE: Final = {hdrs.WWW_AUTHENTICATE: "Bearer"}
VERIFIED_MAX: Final = 16_384
"""Tokens whose signature was found right lately, in the order in which they first came. Some 10 MiB."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Authority:
    """Knows the secrets and how people stand."""

    def __init__(self, secrets: Sequence[str], standings: Standings, clock: Clock, origins: Sequence[str]) -> None:
        self._secrets = tuple(secrets)
        self._standings = standings
        self._clock = clock
        self._origins = frozenset(origins)
        self._verified: OrderedDict[str, Claims] = OrderedDict()

    async def identify(self, request: web.Request) -> Caller:
        """Return who asks; raises ProblemError (`not_signed_in`, `bad_token`, `foreign_origin`)."""
        token, by_cookie = self._token(request)
        if by_cookie:
            self.check_origin(request)
        return await self.caller_of(token, by_cookie=by_cookie)

    async def caller_of(self, token: str, *, by_cookie: bool = False) -> Caller:
        """Return whose token it is; raises ProblemError (`bad_token`)."""
        claims = self.claims_of(token)
        standing = await self._standings.get(claims.org_id, claims.user_id)
        if standing is None or not standing.active or standing.token_version != claims.version:
            raise ProblemError(BAD_TOKEN, headers=_CHALLENGE)
        return Caller(
            claims.org_id,
            claims.user_id,
            standing.roles,
            standing.name,
            by_cookie=by_cookie,
            language=standing.language,
            language_of_organization=standing.language_of_organization,
        )

    def claims_of(self, token: str) -> Claims:
        """Return what a token says, whoever it is of; raises ProblemError (`bad_token`)."""
        now = self._clock.now()
        known = self._verified.get(token)
        if known is not None and known.expires_at is not None and now < known.expires_at:
            return known
        try:
            claims = verify(token, self._secrets, now=now)
        except BadTokenError:
            raise ProblemError(BAD_TOKEN, headers=_CHALLENGE) from None
        self._verified[token] = claims
        if len(self._verified) > VERIFIED_MAX:
            self._verified.popitem(last=False)
        return claims

    def check_origin(self, request: web.Request) -> None:
        """Raise ProblemError if a page of another origin has a browser act with our cookies."""
        origin = request.headers.get(hdrs.ORIGIN)
        is_upgrade = hdrs.UPGRADE in request.headers  # browsers let any page open a WebSocket
        if (request.method in _SAFE and not is_upgrade) or origin is None:
            return
        if urlsplit(origin).netloc != request.host and origin not in self._origins:
            raise ProblemError(FOREIGN_ORIGIN, field=hdrs.ORIGIN, value=origin)

    @staticmethod
    def _token(request: web.Request) -> tuple[str, bool]:
        shown = request.headers.get(hdrs.AUTHORIZATION)
        if shown is not None:
            scheme, _, token = shown.partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise ProblemError(
                    BAD_TOKEN, field=hdrs.AUTHORIZATION, expected=same("Bearer TOKEN"), headers=_CHALLENGE
                )
            return token.strip(), False
        kept = request.cookies.get(ACCESS_COOKIE)
        if kept:
            return kept, True
        raise ProblemError(NOT_SIGNED_IN, headers=_CHALLENGE)
