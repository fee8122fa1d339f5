"""What the operator may choose for hosts: addresses that schools have of their own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final, NamedTuple

from lms.errors import SettingsError

DNS_PORT: Final = 53
MISSING_DAYS_MAX: Final = 365  # domains are bought for a year
_PORT_MAX: Final = 65_535


class Nameserver(NamedTuple):
    """Where DNS is asked."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class HostSettings:
    """How it is proven whose an address is."""

    nameservers: tuple[str, ...] = ()
    """Recursive ones to ask, e.g. `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:5353`. Empty: this computer's."""
    timeout_s: float = 5.0
    """For all questions of one check together."""
    per_organization: int = 20
    """Hosts that one organization may claim or have."""
    warn_after_days: int = 3
    """DNS is asked daily for proofs that it held. After so long without one people are told: zones fail for hours."""
    free_after_days: int = 30
    """After so long without its proof a host may be another organization's that proves it; nobody else takes it."""

    def __post_init__(self) -> None:
        for text in self.nameservers:
            read_nameserver(text)
        if not 0 < self.timeout_s <= 30:
            raise SettingsError(f"hosts.timeout_s is {self.timeout_s:g}, expected more than 0, at most 30")
        if not 1 <= self.warn_after_days <= self.free_after_days <= MISSING_DAYS_MAX:
            given = f"{self.warn_after_days} and {self.free_after_days}"
            raise SettingsError(
                f"hosts.warn_after_days and hosts.free_after_days are {given}, expected 1 to {MISSING_DAYS_MAX}, "
                "the second not less than the first"
            )
        if not 0 <= self.per_organization <= 1000:
            raise SettingsError(f"hosts.per_organization is {self.per_organization}, expected 0 to 1000")


def read_nameserver(text: str) -> Nameserver:
    """Return address and port; raises SettingsError for anything that is not an IP address with or without a port."""
    address, port = text, str(DNS_PORT)
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or str(DNS_PORT)
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        ipaddress.ip_address(address)
        number = int(port)
    except ValueError:
        number = 0
    if not 1 <= number <= _PORT_MAX:
        raise SettingsError(f"hosts.nameservers has {text!r}, expected e.g. 192.0.2.53 or 192.0.2.53:5353")
    return Nameserver(address, number)
