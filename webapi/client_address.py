"""Which address a request comes from, through proxies that the operator named, and what of it is counted. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

HOPS_MAX: Final = 16  # proxies in a row; a longer list was made up
KNOWN_MAX: Final = 4096
"""Texts whose address is remembered: who asks asks again, at once."""
PREFIX_OF_ONE: Final = 64  # a customer has at least a /64 of IPv6 and may use every address of it


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return addresses and networks (`10.0.0.0/8`); raises ValueError with the one that is neither."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            raise ValueError(
                f"{text!r} is no IP address and no network, expected e.g. 127.0.0.1 or 10.0.0.0/8"
            ) from None
    return tuple(networks)


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """Return who asks, None if that cannot be told (a Unix socket).

    `peer` is the other end of the connection, `forwarded_for` the values of X-Forwarded-For. Each proxy adds on the
    right whom it heard, so the list is read from there for as long as who added the entry is trusted.
    """
    address = _parse(peer)
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    for hop in reversed(hops[-HOPS_MAX:]):
        if address is None or not _is_in(address, trusted):
            break
        heard = _parse(hop)
        if heard is None:
            break
        address = heard
    return address


def is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    """Return whether what this peer says of others is believed."""
    address = _parse(peer)
    return address is not None and _is_in(address, trusted)


def bucket_of(address: Address | None) -> str | None:
    """Return under which name an address is counted, None if it is not to be counted.

    This computer is not: a reverse proxy here that nobody named as trusted would put everybody into one bucket.
    """
    if address is None or address.is_loopback:
        return None
    if address.version == 6:
        return str(ipaddress.ip_network((int(address), PREFIX_OF_ONE), strict=False))
    return str(address)


@lru_cache(maxsize=KNOWN_MAX)
def _parse(text: str) -> Address | None:
    """Return an address, also of "[::1]:80", "192.0.2.1:80" and IPv4 within IPv6 as proxies write them."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return inner or address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
