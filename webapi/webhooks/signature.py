"""Signatures of deliveries, as Standard Webhooks (standardwebhooks.com, version 1) has them. Pure.

HMAC-SHA256 over "id.timestamp.body"; one signature for each live key, divided by spaces.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
TOLERANCE_S: Final = 300
"""An older delivery may be a replay by somebody who listened; a retry is signed anew."""
_VERSION: Final = "v1"


class BadSignatureError(ValueError):
    """A delivery that must not be believed."""


def sign(keys: Iterable[bytes], delivery_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery. `timestamp` is seconds since 1970, UTC."""
    return {
        ID_HEADER: delivery_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(_signature(key, delivery_id, str(timestamp), body) for key in keys),
    }


def verify(keys: Iterable[bytes], headers: Mapping[str, str], body: bytes, *, wallclock: float) -> None:
    """Raise BadSignatureError unless one of the keys signed this body within the last five minutes.

    For receivers; header names as they stand above.
    """
    delivery_id = headers.get(ID_HEADER, "")
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise BadSignatureError("the delivery has no usable timestamp")
    if abs(wallclock - int(timestamp)) > TOLERANCE_S:
        raise BadSignatureError(f"the delivery is from another time than the last {TOLERANCE_S} s")
    shown = [each.encode() for each in headers.get(SIGNATURE_HEADER, "").split(" ")]
    expected = [_signature(key, delivery_id, timestamp, body).encode() for key in keys]
    if not any([hmac.compare_digest(one, other) for one in shown for other in expected]):  # noqa: C419 - all compared
        raise BadSignatureError("no key of ours signed the delivery")


def _signature(key: bytes, delivery_id: str, timestamp: str, body: bytes) -> str:
    digest = hmac.digest(key, f"{delivery_id}.{timestamp}.".encode() + body, "sha256")
    return f"{_VERSION},{base64.b64encode(digest).decode()}"
