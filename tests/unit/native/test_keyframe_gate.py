"""The key frame gate: many viewers ask, the publisher is asked seldom, and nobody is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.native.keyframe_gate import RequestGate
from tests.oracle import keyframe_gate as oracle

SECOND = 1_000_000


def test_the_first_request_goes_out_at_once_and_the_rest_merge() -> None:
    gate = RequestGate()
    assert gate.next_us() is None
    assert gate.request(5)
    assert not any(gate.request(5 + index) for index in range(100))
    gate.key_frame(300_000)
    assert gate.counters() == (1, 100, 1)
    assert gate.next_us() is None
    assert not gate.poll(10 * SECOND)


def test_a_request_soon_after_the_last_waits_for_its_second() -> None:
    gate = RequestGate()
    gate.request(0)
    gate.key_frame(100_000)
    assert not gate.request(200_000)
    assert gate.next_us() == SECOND
    assert not gate.poll(SECOND - 1)
    assert gate.poll(SECOND)
    assert not gate.poll(SECOND)


def test_a_key_frame_that_comes_by_itself_answers_who_waits() -> None:
    gate = RequestGate()
    gate.request(0)
    gate.key_frame(100_000)
    gate.request(200_000)
    gate.key_frame(900_000)
    assert not gate.poll(SECOND)


def test_an_unanswered_request_is_repeated_every_second() -> None:
    gate = RequestGate()
    gate.request(0)
    assert gate.next_us() == SECOND
    assert [gate.poll(index * SECOND // 2) for index in range(1, 7)] == [False, True, False, True, False, True]
    gate.key_frame(3_100_000)
    assert not gate.poll(5 * SECOND)
    assert gate.counters() == (4, 0, 1)


def test_the_interval_doubles_while_key_frames_crowd_and_recovers_after_quiet() -> None:
    gate = RequestGate()
    now_us, intervals = 0, []
    assert gate.request(now_us)
    for _ in range(4):
        gate.key_frame(now_us + 200_000)
        assert not gate.request(now_us + 300_000)
        due_us = gate.next_us() or 0
        assert gate.poll(due_us)
        intervals.append((due_us - now_us) / SECOND)
        now_us = due_us
    assert intervals == [1, 2, 2, 2]  # at 2 s they no longer crowd
    gate.key_frame(now_us + 200_000)
    gate.key_frame(now_us + 400_000)
    gate.key_frame(now_us + 600_000)
    assert not gate.request(now_us + 700_000)
    assert gate.next_us() == now_us + 4 * SECOND
    now_us += 20 * SECOND
    assert gate.poll(now_us)
    gate.key_frame(now_us + 200_000)
    gate.request(now_us + 300_000)
    assert gate.next_us() == now_us + SECOND


def test_the_parts_of_one_key_frame_count_once() -> None:
    gate = RequestGate()
    gate.request(0)
    gate.key_frame(100_000)
    gate.key_frame(120_000)
    assert gate.counters()[2] == 1
    assert gate.request(SECOND)
    gate.key_frame(1_200_000)
    assert gate.request(2_500_000) is False  # the interval is 2 s now: these two did crowd
    assert gate.next_us() == 3 * SECOND


@given(
    start=st.integers(0, 2**40),
    operations=st.lists(
        st.tuples(
            st.sampled_from(("request", "poll", "key_frame")),
            st.one_of(
                st.sampled_from((0, 1, 99_999, 100_000, SECOND - 1, SECOND, 2 * SECOND - 1, 2 * SECOND, 10 * SECOND)),
                st.integers(0, 3 * SECOND),
            ),
        ),
        max_size=80,
    ),
)
def test_equals_a_gate_that_keeps_the_whole_past(start: int, operations: list[tuple[str, int]]) -> None:
    native, twin = RequestGate(), oracle.RequestGate()
    now_us = start
    for name, pause_us in operations:
        now_us += pause_us
        due_us = native.next_us()
        polled = native.poll(now_us) if name == "poll" else None
        if name == "poll":
            assert polled == twin.poll(now_us)
            assert not polled or (due_us is not None and due_us <= now_us)
        elif name == "request":
            assert native.request(now_us) == twin.request(now_us)
        else:
            native.key_frame(now_us)
            twin.key_frame(now_us)
        assert native.counters() == twin.counters()
        assert (native.next_us() is None) == (not twin.open and not twin.waiting)
