"""From the Authorization header of a request to the API key behind it, or a refusal. Whoever is not named is nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import hdrs, web

from control_api.authorize.basic import is_one_of, parse_basic
from control_api.authorize.control_token import BadControlTokenError, check_control_token, read_key_id
from control_api.keys import ApiKey, moment
from control_api.rest.authority import Caller
from control_api.rest.problems import Problem, ProblemError

CHALLENGE = {hdrs.WWW_AUTHENTICATE: 'Basic realm="halqa", charset="UTF-8", Bearer realm="halqa"'}

FindKey = Callable[[str], ApiKey | None]
"""Returns the key of an id, which may have ended."""

OnCaller = Callable[[web.Request, str], None]
"""Is told which key asks; raises ProblemError if it asks too often."""


class KeyAuthority:
    """Knows the keys (a `control_api.rest.authority.Authority`)."""

    def __init__(self, find: FindKey, *, on_caller: OnCaller | None = None) -> None:
        self._find = find
        self._on_caller = on_caller

    def identify(self, request: web.Request) -> Caller:
        """Return who asks; raises ProblemError (`no_key`, `bad_key`, and `rate_limited` for a key that may come in)."""
        header = request.headers.get(hdrs.AUTHORIZATION, "")
        scheme, _, credentials = header.partition(" ")
        match scheme.lower():
            case "basic":
                caller = self._identify_basic(header)
            case "bearer":
                caller = self._identify_bearer(credentials.strip())
            case _:
                raise ProblemError(Problem.NO_KEY, headers=CHALLENGE)
        if self._on_caller is not None:
            self._on_caller(request, caller.key_id)
        return caller

    def _identify_basic(self, header: str) -> Caller:
        shown = parse_basic(header)
        if shown is None:
            raise ProblemError(Problem.NO_KEY, headers=CHALLENGE)
        key = self._find(shown[0])
        secrets = () if key is None else key.secrets_at(moment(time.time()))
        if not is_one_of(shown[1], secrets) or key is None:
            raise ProblemError(Problem.BAD_KEY, headers=CHALLENGE)
        return Caller(key.key_id, key.scopes, key.secret, key.rooms)

    def _identify_bearer(self, token: str) -> Caller:
        try:
            key = self._find(read_key_id(token))
            if key is None:
                raise BadControlTokenError("its key is not known here")
            permission = check_control_token(token, key, wallclock=time.time())
        except BadControlTokenError as error:
            raise ProblemError(Problem.BAD_KEY, f"The token is not taken: {error}.", headers=CHALLENGE) from None
        return Caller(key.key_id, permission.scopes, key.secret, permission.rooms)
