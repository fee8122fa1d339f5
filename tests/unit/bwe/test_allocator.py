"""Who gets which layer of what an estimate carries."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bwe.allocator import CLIMB_MARGIN, SCREEN_OVERSEND_BPS, Allocation, Layer, Rank, SlotWish, allocate

LOW, MIDDLE, HIGH = Layer(0, 3, 150_000), Layer(1, 3, 500_000), Layer(2, 3, 1_500_000)
CAMERA = (LOW, MIDDLE, HIGH)
SCREEN = (Layer(0, 0, 200_000), Layer(0, 3, 600_000))


def wish(
    key: str, rank: Rank = Rank.OTHER, layers: tuple[Layer, ...] = CAMERA, current: Layer | None = None
) -> SlotWish[str]:
    return SlotWish(key, rank, layers, current)


def bitrates(allocation: Allocation[str]) -> dict[str, int]:
    return {key: layer.bitrate_bps if layer else 0 for key, layer in allocation.layers.items()}


def test_enough_for_all() -> None:
    allocation = allocate(10e6, [wish("a"), wish("b", Rank.SCREEN, SCREEN)])
    assert bitrates(allocation) == {"a": 1_500_000, "b": 600_000}
    assert allocation.used_bps == allocation.wanted_bps == 2_100_000


def test_each_its_lowest_before_any_its_best() -> None:
    wishes = [wish("teacher", Rank.PINNED), *(wish(f"student {index}") for index in range(4))]
    assert bitrates(allocate(800_000 * CLIMB_MARGIN, wishes)) == {
        "teacher": 150_000,
        "student 0": 150_000,
        "student 1": 150_000,
        "student 2": 150_000,
        "student 3": 150_000,
    }
    assert bitrates(allocate(1_100_000 * CLIMB_MARGIN, wishes))["teacher"] == 500_000


def test_the_screen_first_then_the_pinned_then_who_speaks() -> None:
    wishes = [
        wish("other"),
        wish("speaker", Rank.SPEAKER),
        wish("pinned", Rank.PINNED),
        wish("screen", Rank.SCREEN, SCREEN),
    ]
    assert bitrates(allocate(250_000, wishes)) == {"other": 0, "speaker": 0, "pinned": 0, "screen": 200_000}
    assert bitrates(allocate(410_000, wishes)) == {"other": 0, "speaker": 0, "pinned": 150_000, "screen": 200_000}
    assert bitrates(allocate(1_250_000, wishes)) == {
        "other": 150_000,
        "speaker": 150_000,
        "pinned": 150_000,
        "screen": 600_000,
    }


def test_a_screen_may_exceed_a_low_estimate_a_little() -> None:
    needed = 200_000 * CLIMB_MARGIN - SCREEN_OVERSEND_BPS
    assert bitrates(allocate(needed, [wish("s", Rank.SCREEN, SCREEN)])) == {"s": 200_000}
    assert bitrates(allocate(needed - 1, [wish("s", Rank.SCREEN, SCREEN)])) == {"s": 0}


def test_equals_climb_together() -> None:
    wishes = [wish("a"), wish("b")]
    assert bitrates(allocate(650_000 * CLIMB_MARGIN, wishes)) == {"a": 500_000, "b": 150_000}
    assert bitrates(allocate(1_000_000 * CLIMB_MARGIN, wishes)) == {"a": 500_000, "b": 500_000}


def test_to_stay_needs_less_than_to_climb() -> None:
    assert bitrates(allocate(510_000, [wish("a", current=MIDDLE)])) == {"a": 500_000}
    assert bitrates(allocate(510_000, [wish("a", current=LOW)])) == {"a": 150_000}
    assert bitrates(allocate(499_999, [wish("a", current=MIDDLE)])) == {"a": 150_000}


def test_nothing_wanted() -> None:
    assert allocate(1e6, []) == Allocation({}, 0, 0)
    assert allocate(1e6, [wish("a", layers=())]) == Allocation({"a": None}, 0, 0)


@pytest.mark.parametrize("estimate_bps", [300_000, 900_000, 3_000_000])
def test_an_estimate_that_swings_by_a_twentieth_moves_nothing(estimate_bps: int) -> None:
    wishes = [wish("a", Rank.PINNED), wish("b"), wish("c", Rank.SCREEN, SCREEN)]
    current: dict[str, Layer | None] = {}
    seen = []
    for swing in itertools.islice(itertools.cycle((1.0, 0.98, 1.03, 0.97, 1.02)), 40):
        with_past = [SlotWish(each.key, each.rank, each.layers, current.get(each.key)) for each in wishes]
        current = allocate(estimate_bps * swing, with_past).layers
        seen.append(tuple(sorted((key, str(layer)) for key, layer in current.items())))
    assert len(set(seen[5:])) == 1


layers = st.lists(st.integers(20_000, 3_000_000), min_size=1, max_size=6, unique=True).map(
    lambda rates: tuple(Layer(index, 3, rate) for index, rate in enumerate(sorted(rates)))
)
some_wishes = st.lists(st.tuples(st.sampled_from(Rank), layers, st.integers(-1, 5)), max_size=12).map(
    lambda items: [
        SlotWish(str(index), rank, offered, offered[at] if 0 <= at < len(offered) else None)
        for index, (rank, offered, at) in enumerate(items)
    ]
)


@given(st.integers(0, 20_000_000), some_wishes)
def test_whatever_is_wanted_the_sum_fits_and_ranks_hold(estimate_bps: int, wishes: list[SlotWish[str]]) -> None:
    allocation = allocate(estimate_bps, wishes)
    screens = sum(each.rank is Rank.SCREEN for each in wishes)
    assert allocation.used_bps <= estimate_bps + SCREEN_OVERSEND_BPS * bool(screens)
    assert allocation.used_bps == sum(layer.bitrate_bps for layer in allocation.layers.values() if layer)
    for each in wishes:
        layer = allocation.layers[each.key]
        assert layer is None or layer in each.layers


@given(st.integers(0, 20_000_000), some_wishes)
def test_asked_again_with_what_it_gave_it_gives_no_less(estimate_bps: int, wishes: list[SlotWish[str]]) -> None:
    first = allocate(estimate_bps, wishes)
    again = allocate(
        estimate_bps, [SlotWish(each.key, each.rank, each.layers, first.layers[each.key]) for each in wishes]
    )
    assert again.used_bps >= first.used_bps or again.layers == first.layers


@given(st.integers(0, 20_000_000), some_wishes)
def test_it_comes_to_rest(estimate_bps: int, wishes: list[SlotWish[str]]) -> None:
    seen = []
    for _ in range(12):
        layers = allocate(estimate_bps, wishes).layers
        wishes = [SlotWish(each.key, each.rank, each.layers, layers[each.key]) for each in wishes]
        seen.append(layers)
    assert seen[-1] == seen[-2]
