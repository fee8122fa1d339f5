"""What is said of a bad network's row: the floor that the computer sets, and what was missed."""

from __future__ import annotations

import pytest

from benchmarks.rough.call import Watched
from benchmarks.rough.judge import format_floor, missed
from benchmarks.rough.links import CLEAR, LINKS, Link
from benchmarks.rough.medians import format_medians, middle_of
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


def test_of_several_runs_the_medians_count_and_one_bad_run_does_not() -> None:
    runs = [row("loss5", freeze, concealed) for freeze, concealed in ((0.2, 0.9), (9.0, 0.4), (0.4, 1.2))]
    link, watched = runs[0][0], [run for _, run in runs]
    middle = middle_of(watched)
    assert (middle.noticed.freeze_percent, middle.noticed.concealed_percent) == (0.4, 0.9)
    assert not missed(link, middle)
    table = format_medians([(link, watched)]).splitlines()
    assert table[1].split()[-4:] == ["0.5", "0.40", "0.20..9.00", "yes"]
    assert table[2].split()[-4:] == ["1", "0.90", "0.40..1.20", "yes"]


def test_what_most_runs_did_not_see_has_no_median() -> None:
    link, seen = row("loss5", 0.0, 0.0)
    runs = [seen, row("loss5", None, 0.0)[1]]
    assert middle_of(runs).noticed.freeze_percent is None
    assert format_medians([(link, runs)]).splitlines()[1].endswith("NO")
    with pytest.raises(ValueError, match="no runs"):
        middle_of([])
