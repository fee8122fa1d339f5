"""`If-Match` of a PATCH: which ICE generation the client means (RFC 9725 section 4.3.1, RFC 9110 section 13.1.1)."""

from __future__ import annotations

import re
from typing import Final

from signaling.whip.refusals import Refusal, RefusedError

ANY: Final = "*"

_TAG: Final = re.compile(r'(?:W/)?"[!#-~]*"')


def check_if_match(condition: str | None, current: str) -> None:
    """Raise RefusedError unless the condition is "*" or names the current tag (with its quotes).

    The comparison is strong: a weak tag, W/"...", never matches.
    """
    if condition is None or not condition.strip():
        raise RefusedError(Refusal.IF_MATCH_REQUIRED, 'PATCH needs If-Match: the ETag of the answer, or "*"')
    if condition.strip() != ANY and current not in _TAG.findall(condition):
        raise RefusedError(Refusal.STALE_ETAG, "If-Match names another ICE generation than the present one")
