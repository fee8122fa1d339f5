"""A link before a peer of the load generator: rate, queue, delay and loss, by the times at which datagrams came."""

from __future__ import annotations

from media.native.load_link import Link

MS = 1_000_000
PACKET = bytes(1250)  # 10 ms at 1 Mbit/s


def test_what_comes_at_once_leaves_at_the_rate_of_the_link() -> None:
    link = Link(1_000_000, delay_ns=5 * MS, queue_ns=100 * MS)
    assert all(link.put(PACKET, 0) for _ in range(3))
    assert link.take(15 * MS - 1) is None
    assert [link.take(1000 * MS) for _ in range(4)] == [(at * MS, PACKET) for at in (15, 25, 35)] + [None]


def test_what_would_wait_too_long_is_dropped() -> None:
    link = Link(1_000_000, queue_ns=20 * MS)
    assert [link.put(PACKET, 0) for _ in range(5)] == [True, True, True, False, False]
    assert link.put(PACKET, 10 * MS), "there is room again"
    counters = link.counters()
    assert (counters["offered"], counters["jammed"], counters["offered_bytes"]) == (6, 2, 6 * 1250)


def test_a_link_without_a_rate_only_delays_and_loses() -> None:
    link = Link(delay_ns=MS, loss=0.5)
    kept = sum(link.put(b"x", at) for at in range(1000))
    assert 400 < kept < 600
    assert link.counters()["lost"] == 1000 - kept
    assert link.take(MS + 1000) is not None
