"""What is said of a bad network's row: the floor that the computer sets, and what was missed."""

from __future__ import annotations

import pytest

from benchmarks.rough.call import Watched
from benchmarks.rough.judge import format_floor, missed
from benchmarks.rough.links import CLEAR, LINKS, Link
from benchmarks.rough.watching import Noticed

BY_NAME = {link.name: link for link in LINKS}


def row(name: str, freeze: float | None, concealed: float | None) -> tuple[Link, Watched]:
    seen = Noticed(freeze, concealed, 20.0, None, None, 40.0, 50.0, 0.0, 1.0, 0, 0, 0)
    return BY_NAME[name], Watched(seen, 0, 0.1, 0.5)


def test_the_floor_is_what_the_row_without_loss_shows() -> None:
    rows = [row("loss5", 0.4, 0.9), row(CLEAR, 0.25, 0.0)]
    assert format_floor(rows) == "floor (row clear): freezes 0.25 %, concealed 0.00 %"
    assert format_floor(rows[:1]) == "floor: not measured, without the row clear"
    assert format_floor([row(CLEAR, None, None)]) == "floor (row clear): freezes - %, concealed - %"


@pytest.mark.parametrize(
    ("freeze", "concealed", "faults"), [(0.5, 1.0, 0), (0.6, 1.0, 1), (0.6, 1.1, 2), (None, 0.0, 1)]
)
def test_what_was_not_seen_is_not_reached(freeze: float | None, concealed: float | None, faults: int) -> None:
    assert len(missed(*row("loss5", freeze, concealed))) == faults
