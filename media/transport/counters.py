"""What transports refused or dropped, by reason: one object of the composition root, shared by all transports."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class DropReason(enum.Enum):
    """Why a datagram had no effect; the value is the metric's label."""

    CLOSED = "closed"
    UNKNOWN_PROTOCOL = "unknown_protocol"
    TOO_LARGE = "too_large"
    STUN_MALFORMED = "stun_malformed"
    STUN_UNEXPECTED = "stun_unexpected"
    """A response, or a method other than binding."""
    STUN_NO_CREDENTIALS = "stun_no_credentials"
    STUN_WRONG_USERNAME = "stun_wrong_username"
    STUN_WRONG_INTEGRITY = "stun_wrong_integrity"
    STUN_UNKNOWN_ATTRIBUTE = "stun_unknown_attribute"
    STUN_ROLE_CONFLICT = "stun_role_conflict"
    STUN_REPLAYED = "stun_replayed"
    """The same transaction from a second address: a copied datagram."""
    STUN_RATE = "stun_rate"
    STUN_ERROR_WITHHELD = "stun_error_withheld"
    """An error response not sent, because of its rate or because it would be longer than the request."""
    DTLS_UNCHECKED_ADDRESS = "dtls_unchecked_address"
    DTLS_MALFORMED = "dtls_malformed"
    DTLS_UNEXPECTED = "dtls_unexpected"
    """No ClientHello where one must come first, or a record that nobody waits for."""
    DTLS_RATE = "dtls_rate"
    DTLS_NOT_ADMITTED = "dtls_not_admitted"
    APPLICATION_DATA_FULL = "application_data_full"


class DropCounters:
    """Number of drops by reason since the start; never reset."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(DropReason, 0)

    def count(self, reason: DropReason) -> None:
        self._counts[reason] += 1

    @property
    def counts(self) -> Mapping[DropReason, int]:
        return self._counts
