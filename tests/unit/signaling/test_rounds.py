"""What a crowd is told goes out at once, unless a round has just begun: then together, when its time is over."""

from __future__ import annotations

import pytest

from signaling.identifiers import ParticipantId
from signaling.rounds import WRITES_PER_S, Rounds

HALL = tuple(ParticipantId(f"p{number}") for number in range(1000))


def test_the_first_message_does_not_wait_and_the_next_ones_wait_together() -> None:
    rounds = Rounds()
    assert rounds.next_round() is None
    rounds.add(HALL)
    assert rounds.next_round() == 0.0
    assert rounds.take(now=100.0) == set(HALL)
    assert rounds.next_round() is None
    rounds.add(HALL[1:])
    rounds.add(HALL[:10])
    assert rounds.next_round() == pytest.approx(100.0 + len(HALL) / WRITES_PER_S)
    assert rounds.take(now=100.2) == set(HALL)


def test_a_small_round_is_soon_over() -> None:
    rounds = Rounds()
    rounds.add(HALL[:50])
    rounds.take(now=5.0)
    rounds.add(HALL[:50])
    assert rounds.next_round() == pytest.approx(5.01)
