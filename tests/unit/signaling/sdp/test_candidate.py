"""Candidates as browsers trickle them, and what is refused."""

from __future__ import annotations

import pytest

from signaling.sdp import SdpError, parse_candidate


def test_a_trickled_candidate_of_chromium() -> None:
    candidate = parse_candidate(
        "candidate:1322109302 1 udp 2113937151 7983a308-bb02-4268-924d-17b2f278b699.local 48804 typ host "
        "generation 0 ufrag Pf3k network-cost 999"
    )
    assert (candidate.foundation, candidate.component, candidate.priority) == ("1322109302", 1, 2_113_937_151)
    assert (candidate.transport, candidate.port, candidate.type) == ("udp", 48_804, "host")
    assert candidate.attributes == {"generation": "0", "ufrag": "Pf3k", "network-cost": "999"}


@pytest.mark.parametrize(
    "text",
    [
        "candidate:0 1 UDP 2122252543 192.0.2.3 50001 typ host",
        "a=candidate:4 2 UDP 1685987326 2001:db8::1 50002 typ srflx raddr 0.0.0.0 rport 0",
        "candidate:1 1 TCP 2105524479 192.0.2.3 9 typ host tcptype active",
        "1 1 udp 1 192.0.2.3 1 typ host",
        "candidate:1 1 udp 4294967295 turn.example.org 1 typ relay",
        "candidate:1 1 newer 1 192.0.2.3 1 typ newer",
    ],
)
def test_candidates_of_all_sorts_are_read(text: str) -> None:
    assert parse_candidate(text).transport in {"udp", "tcp", "newer"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "candidate is ''"),
        ("candidate:1 1 udp 1 192.0.2.3 1 typ", "candidate is"),
        ("candidate:1 1 udp 1 192.0.2.3 1 type host", "candidate is"),
        ("candidate:1 1 udp 1 192.0.2.3 1 typ host generation", "candidate is"),
        ("candidate:é 1 udp 1 192.0.2.3 1 typ host", "foundation is '\\xe9'"),
        ("candidate:1 0 udp 1 192.0.2.3 1 typ host", "component is 0"),
        ("candidate:1 1 u/p 1 192.0.2.3 1 typ host", "transport is 'u/p'"),
        ("candidate:1 1 udp 4294967296 192.0.2.3 1 typ host", "priority is 4294967296"),
        ("candidate:1 1 udp 1 192.0.2.300 1 typ host", "address is '192.0.2.300'"),
        ("candidate:1 1 udp 1 2001::db8::1 1 typ host", "address is '2001::db8::1'"),
        ("candidate:1 1 udp 1 -x 1 typ host", "address is '-x'"),
        ("candidate:1 1 udp 1 192.0.2.3 65536 typ host", "port is 65536"),
        ("candidate:" + "1 " * 600, "longer than 1024"),
    ],
)
def test_a_broken_candidate_is_refused_with_its_value(text: str, complaint: str) -> None:
    with pytest.raises(SdpError) as caught:
        parse_candidate(text)
    assert complaint in str(caught.value)
