"""Which addresses the server may be sent to by a name that somebody else controls. Pure.

A webhook URL, or its DNS, could point at this host, its network, or a cloud's metadata service. So the address that a
socket is really about to connect to is judged, after resolution: a name that changes between two looks gains nothing.
"""

from __future__ import annotations

import ipaddress
from typing import Final

_EMBEDDING: Final = (
    # (network, where the IPv4 address begins in it): translators that would carry us to that IPv4 address.
    (ipaddress.IPv6Network("64:ff9b::/96"), 96),  # NAT64, RFC 6052
    (ipaddress.IPv6Network("2002::/16"), 16),  # 6to4, RFC 3056
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 96),  # IPv4-translated, RFC 2765
)
_NEVER: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # "this host" on Linux
        "100.64.0.0/10",  # carrier NAT, and some clouds' metadata
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible, loopback and unspecified
        "64:ff9b:1::/48",  # NAT64 for private use, RFC 8215
        "100::/64",  # discard
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
        "fec0::/10",  # site-local, as some networks still have it
    )
)


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public Internet; False for what is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        for network, prefix in _EMBEDDING:
            if ip in network:
                return is_public(str(ipaddress.IPv4Address(int(ip) >> (96 - prefix) & 0xFFFF_FFFF)))
    if any(ip.version == network.version and ip in network for network in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
