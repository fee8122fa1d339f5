"""When a receiver is tried again, what is given up, which keys sign, and which addresses may be receivers. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from lms.api.phrases import Phrase

RETRY_FIRST: Final = timedelta(seconds=1)
RETRY_MAX: Final = timedelta(minutes=5)
"""A receiver that is back after an outage hears from us within so long."""
JITTER: Final = 0.2  # of the pause, either way, so that receivers behind one outage are not met all at once
PATIENCE: Final = timedelta(hours=1)
"""Nothing is given up before its receiver failed for so long, even if this service was down and all of it is old."""
URL_CHARACTERS_MAX: Final = 2000


def retry_pause(failures: int, chance: float) -> timedelta:
    """Return how long to wait after so many failures in a row; `chance` is in [0, 1)."""
    pause = min(RETRY_MAX, RETRY_FIRST * 2.0 ** min(failures - 1, 20))
    return pause * (1 - JITTER + 2 * JITTER * chance)


def is_dead(created_at: datetime, failing_since: datetime, now: datetime, give_up: timedelta) -> bool:
    """Return whether an event whose delivery has just failed is given up."""
    return now - created_at >= give_up and now - failing_since >= min(PATIENCE, give_up)


def key_of(secret: str, webhook_id: UUID, generation: int) -> bytes:
    """Return the key of a receiver: made of the service's secret, so that the database and its backups hold none."""
    return hmac.digest(secret.encode(), f"webhook\n{webhook_id.hex}\n{generation}".encode(), hashlib.sha256)


def live_keys(
    secrets: Sequence[str], webhook_id: UUID, generation: int, previous_until: datetime | None, now: datetime
) -> list[bytes]:
    """Return the keys that sign: of this generation, and of the one before as long as that is live.

    While the service changes its own secret it has several, and each makes a key.
    """
    generations = [generation]
    if previous_until is not None and now < previous_until:
        generations.append(generation - 1)
    return [key_of(secret, webhook_id, each) for each in generations for secret in secrets]


def fault_of_url(url: str, *, allow_plain_http: bool) -> Phrase | None:
    """Return what is expected of a receiver's address that cannot be one; None if it can."""
    begun = Phrase("an address that begins with https://", "عنوان يبدأ بـ https://")
    if allow_plain_http:
        begun = Phrase("an address that begins with http:// or https://", "عنوان يبدأ بـ http:// أو https://")
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return begun
    if parts.scheme not in ({"http", "https"} if allow_plain_http else {"https"}) or not whole:
        return begun
    if parts.username is not None or parts.password is not None or parts.fragment:
        return Phrase(
            "an address without user, password and fragment", "عنوان بلا اسم مستخدم ولا كلمة مرور ولا جزء بعد #"
        )
    if any(each.isspace() or not each.isprintable() for each in url):
        return Phrase("an address without spaces", "عنوان بلا مسافات")
    return None
