"""What attendance is worth."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lms.attendance.outcome import Status
from lms.grades.from_attendance import DEFAULT_SHARES, Basis, Presence, Scale, score_of
from lms.grades.total import GradeState, Score

MONDAY, TUESDAY = UUID(int=1), UUID(int=2)
HOUR_US = 3_600_000_000
TEN = Decimal(10)


def presence(status: Status, class_id: UUID = MONDAY, percent: str = "100", window_us: int = HOUR_US) -> Presence:
    return Presence(class_id, status, Decimal(percent), window_us)


def test_statuses_are_worth_their_parts() -> None:
    for status, share in DEFAULT_SHARES.items():
        assert score_of([presence(status)], Scale(), TEN) == Score(GradeState.GRADED, share * 10)


def test_percent() -> None:
    scale = Scale(Basis.PERCENT)
    assert score_of([presence(Status.PARTIAL, percent="33.33")], scale, TEN).points == Decimal("3.3330")


def test_excused_counts_nowhere() -> None:
    assert score_of([presence(Status.EXCUSED)], Scale(), TEN) == Score(GradeState.EXCUSED)
    both = [presence(Status.EXCUSED), presence(Status.LATE, TUESDAY)]
    assert score_of(both, Scale(), TEN).points == Decimal(5)
    assert score_of([], Scale(), TEN) == Score()


def test_a_short_first_run_weighs_little() -> None:
    began_by_mistake = presence(Status.ABSENT, window_us=HOUR_US // 19)
    assert score_of([began_by_mistake, presence(Status.PRESENT)], Scale(), TEN).points == Decimal("9.5000")
    other_class = presence(Status.ABSENT, TUESDAY)
    assert score_of([began_by_mistake, presence(Status.PRESENT), other_class], Scale(), TEN).points == Decimal("4.75")


@given(st.lists(st.builds(presence, st.sampled_from(Status), st.uuids(), window_us=st.integers(0, HOUR_US))))
def test_points_are_within_the_item(presences: list[Presence]) -> None:
    score = score_of(presences, Scale(), TEN)
    assert score == score_of(presences[::-1], Scale(), TEN)
    if score.points is not None:
        assert 0 <= score.points <= 10
