"""Course totals: by example, and the properties that any grades must keep."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lms.grades.amounts import divided, rounded
from lms.grades.total import Category, GradeState, Item, Score, course_total

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOMEWORK, EXAMS = UUID(int=1), UUID(int=2)


def graded(points: str) -> Score:
    return Score(GradeState.GRADED, Decimal(points))


def item(number: int, category: UUID = HOMEWORK, most: str = "10", weight: str = "1", due: int | None = None) -> Item:
    due_at = None if due is None else NOW + timedelta(seconds=due)
    return Item(UUID(int=number), category, Decimal(most), Decimal(weight), due_at)


def percent(categories: list[Category], items: list[Item], *scores: Score | None) -> Decimal | None:
    known = {each.id: score for each, score in zip(items, scores, strict=True) if score is not None}
    return course_total(categories, items, known, at=NOW).percent


HALVES = [Category(HOMEWORK, Decimal(40)), Category(EXAMS, Decimal(60))]


def test_weighted_categories() -> None:
    items = [item(10), item(11), item(12, EXAMS, "100")]
    assert percent(HALVES, items, graded("10"), graded("5"), graded("80")) == Decimal("78.00")  # (40 x 75 + 60 x 80) %


def test_category_without_grades_weighs_nothing() -> None:
    items = [item(10), item(12, EXAMS)]
    assert percent(HALVES, items, graded("7.5"), None) == Decimal("75.00")
    assert percent(HALVES, items, None, None) is None


def test_excused_counts_nowhere() -> None:
    items = [item(10), item(11), item(12, EXAMS)]
    excused = Score(GradeState.EXCUSED)
    assert percent(HALVES, items, graded("8"), excused, excused) == Decimal("80.00")
    assert percent(HALVES, items, excused, excused, excused) is None


def test_missing_is_0_once_due() -> None:
    missing = Score(GradeState.MISSING)
    for due, expected in ((None, "40.00"), (0, "40.00"), (-1, "40.00"), (1, "80.00")):
        assert percent(HALVES, [item(10), item(11, due=due)], graded("8"), missing) == Decimal(expected)


def test_lowest_are_dropped_but_never_the_last() -> None:
    items = [item(10), item(11), item(12)]
    for dropped, expected in ((0, "50.00"), (1, "75.00"), (2, "90.00"), (9, "90.00")):
        categories = [Category(HOMEWORK, Decimal(1), dropped)]
        assert percent(categories, items, graded("0"), graded("6"), graded("9")) == Decimal(expected)


def test_items_weigh_within_their_category() -> None:
    items = [item(10, weight="3"), item(11), item(12, weight="0")]
    assert percent(HALVES, items, graded("10"), graded("2"), graded("0")) == Decimal("80.00")


def test_weights_of_0_count_nothing() -> None:
    categories = [Category(HOMEWORK, Decimal(0)), Category(EXAMS, Decimal(1))]
    assert percent(categories, [item(10), item(11, EXAMS)], graded("0"), graded("9")) == Decimal("90.00")
    assert percent(categories, [item(10)], graded("9")) is None


def test_rounded_once_and_half_to_even() -> None:
    assert rounded(Fraction(5, 1000)) == Decimal("0.00")
    assert rounded(Fraction(15, 1000)) == Decimal("0.02")
    assert rounded(Fraction(25, 1000)) == Decimal("0.02")
    sevenths = [item(number, most="7") for number in (10, 11, 12)]
    assert percent(HALVES, sevenths, graded("1"), graded("1"), graded("1")) == Decimal("14.29")


points = st.decimals(0, 100, places=4)
scores = st.one_of(
    st.builds(lambda value: Score(GradeState.GRADED, value), points),
    st.sampled_from([Score(), Score(GradeState.EXCUSED), Score(GradeState.MISSING)]),
)
weights = st.decimals(0, 100, places=4)
CATEGORY_IDS = [UUID(int=number) for number in range(1, 4)]
categories_of_courses = st.tuples(
    *(st.builds(Category, st.just(each), weights, st.integers(0, 3)) for each in CATEGORY_IDS)
)


@st.composite
def courses(draw: st.DrawFn) -> tuple[tuple[Category, ...], list[Item], dict[UUID, Score]]:
    """A course with items of 100 points, and one student's grades."""
    count = draw(st.integers(0, 8))
    items = [
        Item(
            UUID(int=100 + number),
            draw(st.sampled_from(CATEGORY_IDS)),
            Decimal(100),
            draw(weights),
            draw(st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)])),
        )
        for number in range(count)
    ]
    return draw(categories_of_courses), items, {each.id: draw(scores) for each in items}


@given(courses(), st.randoms(use_true_random=False))
def test_any_order_gives_the_same(
    course: tuple[tuple[Category, ...], list[Item], dict[UUID, Score]], order: random.Random
) -> None:
    categories, items, known = course
    mixed = order.sample(items, len(items))
    assert course_total(categories, mixed, known, at=NOW) == course_total(categories, items, known, at=NOW)


@given(courses())
def test_total_is_between_its_categories(course: tuple[tuple[Category, ...], list[Item], dict[UUID, Score]]) -> None:
    categories, items, known = course
    total = course_total(categories, items, known, at=NOW)
    weight_of = {each.id: each.weight for each in categories}
    means = [each.percent for each in total.categories if weight_of[each.category_id]]
    assert (total.percent is None) == (not means)
    if total.percent is not None:
        assert min(means) <= total.percent <= max(means)
        assert 0 <= total.percent <= 100


@given(courses())
def test_excusing_is_the_same_as_no_such_item(
    course: tuple[tuple[Category, ...], list[Item], dict[UUID, Score]],
) -> None:
    categories, items, known = course
    for each in items:
        excused = {**known, each.id: Score(GradeState.EXCUSED)}
        others = [other for other in items if other.id != each.id]
        assert course_total(categories, items, excused, at=NOW) == course_total(categories, others, known, at=NOW)


@given(courses())
def test_dropping_more_never_lowers(course: tuple[tuple[Category, ...], list[Item], dict[UUID, Score]]) -> None:
    categories, items, known = course
    more = [replace(each, drop_lowest=each.drop_lowest + 1) for each in categories]
    before, after = (course_total(each, items, known, at=NOW) for each in (categories, more))
    assert (before.percent is None) == (after.percent is None)
    if before.percent is not None and after.percent is not None:
        assert after.percent >= before.percent


@given(courses(), st.integers(0, 7), points)
def test_more_points_never_lower(
    course: tuple[tuple[Category, ...], list[Item], dict[UUID, Score]], index: int, more: Decimal
) -> None:
    """With one exception that is meant: a better result may take the place of a heavier one that was dropped."""
    categories, items, known = course
    if not items:
        return
    chosen = items[index % len(items)].id
    score = known[chosen]
    if score.points is None or any(each.drop_lowest for each in categories):
        return
    better = {**known, chosen: graded(str(max(score.points, more)))}
    before, after = (course_total(categories, items, each, at=NOW).percent for each in (known, better))
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after >= before


@given(courses(), st.integers(1, 1000))
def test_weights_count_against_each_other_only(
    course: tuple[tuple[Category, ...], list[Item], dict[UUID, Score]], times: int
) -> None:
    categories, items, known = course
    scaled = [replace(each, weight=each.weight * times) for each in categories]
    before, after = (course_total(each, items, known, at=NOW).percent for each in (categories, scaled))
    assert before == after


@given(courses())
def test_as_the_formula_says(course: tuple[tuple[Category, ...], list[Item], dict[UUID, Score]]) -> None:
    """Without dropping, written down again in the plainest way."""
    categories, items, known = course
    categories = tuple(replace(each, drop_lowest=0) for each in categories)
    above = below = Fraction(0)
    for category in categories:
        rows = [
            (Fraction(each.weight), divided(known[each.id].points or Decimal(0), each.max_points))
            for each in items
            if each.category_id == category.id
            and each.weight
            and (
                known[each.id].state is GradeState.GRADED
                or (known[each.id].state is GradeState.MISSING and (each.due_at is None or each.due_at <= NOW))
            )
        ]
        if rows:
            whole = sum((weight for weight, _ in rows), Fraction(0))
            mean = sum((weight * share for weight, share in rows), Fraction(0)) / whole
            above += Fraction(category.weight) * mean
            below += Fraction(category.weight)
    expected = rounded(above / below * 100) if below else None
    assert course_total(categories, items, known, at=NOW).percent == expected
