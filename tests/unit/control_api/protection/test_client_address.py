"""Who asks, through proxies that are trusted and others that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.protection.client_address import bucket_of, client_address, is_trusted, parse_networks

PROXIES = parse_networks(["127.0.0.1", "10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # said by nobody whom we trust
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.99, 198.51.100.1"], "198.51.100.1"),  # the client made up the first
        ("127.0.0.1", ["192.0.2.99", "198.51.100.1"], "198.51.100.1"),  # the same, in two lines
        ("127.0.0.1", ["198.51.100.1, 10.1.2.3"], "198.51.100.1"),  # two proxies of ours
        ("127.0.0.1", ["198.51.100.1, nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1:443"], "198.51.100.1"),
        ("127.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("::ffff:127.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("", ["198.51.100.1"], "None"),
    ],
)
def test_the_last_address_that_is_vouched_for(peer: str, forwarded: list[str], expected: str) -> None:
    assert str(client_address(peer, forwarded, PROXIES)) == expected


def test_nobody_is_trusted_by_default() -> None:
    assert str(client_address("127.0.0.1", ["198.51.100.1"], ())) == "127.0.0.1"
    assert not is_trusted("127.0.0.1", ())
    assert is_trusted("10.9.9.9", PROXIES)


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("nobody", None),
    ],
)
def test_what_is_counted_together(address: str, bucket: str | None) -> None:
    assert bucket_of(client_address(address, [], ())) == bucket


def test_what_is_no_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.1/8' is no IP address and no network"):
        parse_networks(["127.0.0.1", "10.0.0.1/8"])


@given(st.text(), st.lists(st.text()))
def test_nothing_raises(peer: str, forwarded: list[str]) -> None:
    client_address(peer, forwarded, PROXIES)
