"""Repetitions of a request with one Idempotency-Key get the first answer again, and nothing is done twice.

As draft-ietf-httpapi-idempotency-key-header has it. Kept in memory, as the rooms are that it is for: after a
restart a repetition is a new request.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from control_api.rest.endpoint import Result
from control_api.rest.problems import Problem, ProblemError

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
KEPT_S: Final = 86_400.0  # who tries again for longer has another problem
KEPT_MAX: Final = 10_000
"""The oldest are forgotten first. About 2 kB each."""

_FORM: Final = re.compile(r"[!-~]{1,128}")


@dataclass(slots=True)
class _Kept:
    request: bytes
    """What was asked, as a hash."""
    at: float
    result: Result | None = None
    """None while it is worked on."""


class Repetitions:
    """The answers of the last day. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    async def once(self, key_id: str, text: str, request: bytes, run: Callable[[], Awaitable[Result]]) -> Result:
        """Return what `run` returns, or returned when the same API key asked the same before; raises ProblemError.

        What `run` refuses is not kept: it changed nothing, and may be tried again.
        """
        earlier = self._begin(key_id, text, hashlib.sha256(request).digest())
        if earlier is not None:
            return earlier
        kept = self._kept[key_id, text]
        try:
            kept.result = await run()
            return kept.result
        except BaseException:
            self._kept.pop((key_id, text), None)
            raise

    def _begin(self, key_id: str, text: str, request: bytes) -> Result | None:
        """Return the earlier answer, or None for a new request."""
        if not _FORM.fullmatch(text):
            expected = "1 to 128 visible ASCII characters"
            message = f"{IDEMPOTENCY_KEY} is not {expected}."
            raise ProblemError(Problem.BAD_FIELD, message, field=IDEMPOTENCY_KEY, value=text, expected=expected)
        self._sweep()
        kept = self._kept.get((key_id, text))
        if kept is None:
            self._kept[key_id, text] = _Kept(request, self._clock())
            return None
        if kept.request != request:
            raise ProblemError(Problem.KEY_REUSED, field=IDEMPOTENCY_KEY, value=text)
        if kept.result is None:
            raise ProblemError(Problem.IN_PROGRESS, field=IDEMPOTENCY_KEY, value=text, headers={"Retry-After": "1"})
        return kept.result

    def _sweep(self) -> None:
        oldest = self._clock() - KEPT_S
        while self._kept:
            first = next(iter(self._kept.values()))
            if first.at > oldest and len(self._kept) < KEPT_MAX:
                return
            self._kept.popitem(last=False)
