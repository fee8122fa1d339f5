"""Addresses in the kernel's form, and batches through real sockets."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.udp import AddressList, round_trip_address, send_plain

INET, INET6 = int(socket.AF_INET), int(socket.AF_INET6)


@given(st.ip_addresses(v=4).map(str), st.integers(0, 65535))
def test_ipv4_goes_in_and_out(host: str, port: int) -> None:
    assert round_trip_address(host, port) == (host, port)
    assert round_trip_address(host, port, INET6) == (host, port), "mapped on an IPv6 socket, shown as it is"


@given(st.ip_addresses(v=6), st.integers(0, 65535))
def test_ipv6_goes_in_and_out(host: ipaddress.IPv6Address, port: int) -> None:
    shown, shown_port = round_trip_address(str(host), port, INET6)
    assert shown_port == port
    assert ipaddress.ip_address(shown) == (host.ipv4_mapped or host)


def test_a_zone_is_not_part_of_an_address() -> None:
    assert round_trip_address("fe80::1%eth0", 9, INET6) == ("fe80::1", 9)


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("", INET),
        ("localhost", INET),
        ("1.2.3", INET),
        ("1.2.3.4.5", INET),
        ("::1", INET),
        ("1.2.3.400", INET6),
        ("x:", INET6),
    ],
)
def test_what_is_no_address(host: str, family: int) -> None:
    with pytest.raises(ValueError, match=f"is no IP address for a socket of family {family}"):
        round_trip_address(host, 1, family)


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port(port: int) -> None:
    with pytest.raises(ValueError, match=f"port is {port}"):
        round_trip_address("127.0.0.1", port)


def test_every_destination_gets_every_round() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sinks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        try:
            for sink in sinks:
                sink.bind(("127.0.0.1", 0))
                sink.settimeout(2)
            destinations = AddressList([sink.getsockname() for sink in sinks])
            assert destinations.count == 3
            sent, spent_ns = send_plain(sender.fileno(), destinations, [1200] * 30)
            assert sent == 90
            assert spent_ns > 0
            for sink in sinks:
                assert [sink.recv(2048) for _ in range(30)] == [bytes(1200)] * 30
        finally:
            for sink in sinks:
                sink.close()


def test_a_refused_destination_costs_the_others_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, socket.socket(type=socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(2)
        # Port 0 is refused by the kernel at once; all addresses of a batch stand in one system call.
        sent, _ = send_plain(sender.fileno(), AddressList([("127.0.0.1", 0), sink.getsockname()]), [100] * 4)
        assert sent == 4
        assert [sink.recv(200) for _ in range(4)] == [bytes(100)] * 4


@pytest.mark.parametrize("size", [0, -1, 1537])
def test_only_sizes_of_datagrams_are_sent(size: int) -> None:
    with pytest.raises(ValueError, match=f"size is {size}"):
        send_plain(-1, AddressList([]), [size])


def test_a_run_arrives_as_the_datagrams_it_was_made_of() -> None:
    sizes = [1200, 1200, 1200, 700, 900, 900, 1, 1200, *[1000] * 80]
    with socket.socket(type=socket.SOCK_DGRAM) as sender, socket.socket(type=socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(2)
        sent, _ = send_plain(sender.fileno(), AddressList([sink.getsockname()]), sizes, gso=True)
        assert sent == len(sizes)
        assert [len(sink.recv(2048)) for _ in sizes] == sizes


def test_runs_to_several_destinations_stay_apart() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sinks = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(2)]
        try:
            for sink in sinks:
                sink.bind(("127.0.0.1", 0))
                sink.settimeout(2)
            first, second = (sink.getsockname() for sink in sinks)
            sent, _ = send_plain(sender.fileno(), AddressList([first, first, second]), [500, 400], gso=True)
            assert sent == 6
            assert [len(sinks[0].recv(2048)) for _ in range(4)] == [500, 500, 400, 400]
            assert [len(sinks[1].recv(2048)) for _ in range(2)] == [500, 400]
        finally:
            for sink in sinks:
                sink.close()


def test_a_run_to_nowhere_is_refused_and_the_others_go_on() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender, socket.socket(type=socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(2)
        nowhere = ("127.0.0.1", 0)
        addresses = AddressList([nowhere, nowhere, sink.getsockname(), sink.getsockname()])
        send_plain(sender.fileno(), addresses, [300] * 3, gso=True)
        assert [len(sink.recv(2048)) for _ in range(6)] == [300] * 6
