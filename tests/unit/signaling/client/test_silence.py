"""What counts as a sudden silence."""

from __future__ import annotations

from signaling.client.silence import Silence


def told(*steps: int) -> list[int]:
    """Return after which of these numbers of new packets a silence was told."""
    silence, total, found = Silence(3), 0, []
    for number, step in enumerate(steps):
        total += step
        if silence.look(total):
            found.append(number)
    return found


def test_a_flow_that_stops_is_told_once_after_three_looks() -> None:
    assert told(*[5] * 12, *[0] * 30) == [14]


def test_it_is_told_again_when_it_flowed_again() -> None:
    assert told(*[5] * 12, *[0] * 5, *[5] * 12, *[0] * 5) == [14, 31]


def test_a_short_gap_a_trickle_and_a_beginning_are_nothing() -> None:
    assert told(*[5] * 12, 0, 0, *[5] * 12) == []
    assert told(*[1, 0] * 12, *[0] * 10) == []
    assert told(*[0] * 30) == []
    assert told(9, 9, 0, 0, 0, 0, 0, 0, 0) == []
