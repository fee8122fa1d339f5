"""Addresses that become host candidates: what a peer can send to, and nothing else."""

from __future__ import annotations

import pytest

from media.net.addresses import ADDRESSES_MAX, host_addresses, usable_addresses


def test_bound_address_is_the_address() -> None:
    assert host_addresses("127.0.0.1") == ["127.0.0.1"]
    assert host_addresses("2001:DB8::1") == ["2001:db8::1"]


def test_wildcard_finds_some_address() -> None:
    assert host_addresses()
    assert all(":" not in address for address in host_addresses())


def test_useless_addresses_are_left_out() -> None:
    found = ["127.0.0.1", "169.254.3.4", "192.0.2.7", "fe80::1", "::1", "2001:db8::5", "192.0.2.7", "10.0.0.1"]
    assert usable_addresses(found, ipv6=False) == ["192.0.2.7", "10.0.0.1"]
    assert usable_addresses(found, ipv6=True) == ["192.0.2.7", "10.0.0.1", "2001:db8::5"]


def test_computer_without_network_talks_to_itself() -> None:
    assert usable_addresses(["127.0.0.1", "fe80::1"], ipv6=True) == ["127.0.0.1"]


def test_number_is_bounded() -> None:
    assert len(usable_addresses([f"10.0.0.{number}" for number in range(1, 100)], ipv6=True)) == ADDRESSES_MAX


@pytest.mark.parametrize("address", ["", "localhost", "1.2.3"])
def test_not_an_address(address: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        host_addresses(address)
