"""Which addresses of this host a peer can reach a bound socket at: what becomes ICE host candidates."""

from __future__ import annotations

import ipaddress

import ifaddr

ADDRESSES_MAX = 8  # each costs every client a connectivity check; hosts with more are told to name theirs

LOOPBACK = "127.0.0.1"

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def host_addresses(bind_address: str = "0.0.0.0") -> list[str]:
    """Return where a socket bound to `bind_address` can be reached: IPv4 before IPv6, at most ADDRESSES_MAX.

    A wildcard stands for the addresses of all interfaces but loopback and link-local ones; a host without any other
    answers on 127.0.0.1, so that a class on one computer without a network still works. Raises ValueError if
    `bind_address` is no IP address.
    """
    bound = ipaddress.ip_address(bind_address)
    if not bound.is_unspecified:
        return [str(bound)]
    return usable_addresses(_interface_addresses(), ipv6=bound.version == 6)


def usable_addresses(found: list[str], *, ipv6: bool) -> list[str]:
    """Return which of the interfaces' addresses are worth telling to a peer, in order and without repetition."""
    addresses = [ipaddress.ip_address(address) for address in dict.fromkeys(found)]
    wanted = [address for address in addresses if _is_wanted(address, ipv6=ipv6)]
    wanted.sort(key=lambda address: address.version)
    return [str(address) for address in wanted[:ADDRESSES_MAX]] or [LOOPBACK]


def _is_wanted(address: IpAddress, *, ipv6: bool) -> bool:
    if address.version == 6 and not ipv6:
        return False
    # A link-local address needs a zone, which a candidate cannot carry (RFC 8839 section 5.1).
    return not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)


def _interface_addresses() -> list[str]:
    """Return the addresses of all interfaces; ifaddr gives an IPv6 one as (address, flow, zone)."""
    return [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips]
