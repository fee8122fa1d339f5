"""The arithmetic of allocation, part by part: levels, budgets, what changes, demand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bwe.allocator import CLIMB_MARGIN, Layer, Rank, SlotWish
from signaling.allocation_budget import (
    ASSUMED_BPS,
    ASSUMED_FOR_S,
    HOLD_S,
    LEVEL_AFTER_S,
    PATIENCE_S,
    PLAUSIBLE,
    Budget,
)
from signaling.allocation_changes import Change, compare, held, in_turn, keep_one_camera, late
from signaling.allocation_demand import PAUSE_AFTER_S, Demand
from signaling.allocation_levels import SERVINGS, level_of_estimate, most_bps
from signaling.identifiers import TrackId
from signaling.levels import Level

COSTS = (150_000, 500_000, 1_500_000)


# -- levels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimate_bps", "before", "expected"),
    [
        (2_500_000, None, Level.EXCELLENT),
        (2_499_999, None, Level.GOOD),
        (2_600_000, Level.GOOD, Level.GOOD),
        (2_900_000, Level.GOOD, Level.EXCELLENT),
        (999_999, Level.GOOD, Level.POOR),
        (1_100_000, Level.POOR, Level.POOR),
        (1_150_000, Level.POOR, Level.GOOD),
        (499_999, Level.POOR, Level.MINIMAL),
        (160_000, Level.MINIMAL, Level.MINIMAL),
        (159_999, Level.MINIMAL, Level.AUDIO),
        (180_000, Level.AUDIO, Level.AUDIO),
        (184_001, Level.AUDIO, Level.MINIMAL),
        (0, None, Level.AUDIO),
    ],
)
def test_an_estimate_is_worth_a_level(estimate_bps: int, before: Level | None, expected: Level) -> None:
    assert level_of_estimate(estimate_bps, 1e9, before=before) is expected


def test_who_gets_all_there_is_is_as_well_off_as_can_be() -> None:
    assert level_of_estimate(460_000, 400_000, before=Level.POOR) is Level.EXCELLENT
    assert level_of_estimate(400_000, 400_000, before=Level.EXCELLENT) is Level.EXCELLENT
    assert level_of_estimate(399_999, 400_000, before=Level.EXCELLENT) is Level.MINIMAL
    assert level_of_estimate(0, 0, before=None) is Level.EXCELLENT


def test_levels_fall_one_below_the_other() -> None:
    rates = [serving.bitrate_bps for serving in SERVINGS.values()]
    assert rates == sorted(rates, reverse=True)
    assert most_bps(Level.AUDIO) == 0
    assert most_bps(None) > 1e12


@given(st.integers(0, 10_000_000), st.integers(0, 10_000_000), st.sampled_from([None, *SERVINGS]))
def test_more_is_never_worth_less(one: int, other: int, before: Level | None) -> None:
    low, high = (level_of_estimate(each, 5e6, before=before) for each in sorted((one, other)))
    assert high.rank <= low.rank


# -- budgets ----------------------------------------------------------------------------------------------------------


def test_of_an_unknown_path_everything_is_taken() -> None:
    budget = Budget()
    assert budget.carried_bps(now=0) is None
    assert budget.pictures_bps(100_000, now=0) > 1e12
    budget.limit = Level.POOR
    assert budget.pictures_bps(100_000, now=0) == 500_000


def test_who_will_tell_is_waited_for_a_while() -> None:
    budget = Budget()
    budget.assume(now=5)
    budget.assume(now=9)
    assert budget.carried_bps(now=5) == ASSUMED_BPS
    assert budget.carried_bps(now=5 + ASSUMED_FOR_S) is None
    budget.estimate(700_000, now=6)
    assert budget.carried_bps(now=1000) == 700_000
    assert budget.pictures_bps(800_000, now=6) == 0, "sound may be more than there is"


def test_estimates_that_change_nothing_are_no_news() -> None:
    budget = Budget()
    assert budget.estimate(1_000_000, now=0)
    budget.allotted(800_000, 2_000_000, now=0)
    assert not budget.estimate(1_040_000, now=1)
    assert not budget.estimate(810_000, now=2)
    assert budget.estimate(790_000, now=3)
    budget.allotted(500_000, 2_000_000, now=3)
    assert budget.estimate(900_000, now=4)
    budget.allotted(900_000, 900_000, now=5)
    assert not budget.estimate(9_000_000, now=6), "all that is wanted is sent"


def climbs_again(budget: Budget, needed_bps: int, *, since: float) -> float:
    """Return after how long so much may be climbed to."""
    waited = 0.0
    while budget.is_held(now=since + waited) or budget.pictures_bps(0, now=since + waited) < needed_bps * CLIMB_MARGIN:
        waited += 0.5
    return waited


def test_most_of_what_was_too_much_comes_back_soon_and_all_of_it_ever_later() -> None:
    budget, now = Budget(), 0.0
    waits = []
    for _ in range(6):
        budget.allotted(1_000_000, 9_000_000, now=now)
        budget.estimate(600_000, now=now)
        budget.fell(now=now)
        budget.allotted(500_000, 9_000_000, now=now)
        budget.estimate(1_400_000, now=now)
        waits.append((climbs_again(budget, 800_000, since=now), climbs_again(budget, 1_000_000, since=now)))
        now += waits[-1][1]
        budget.climbed(now=now)
        now += 1
    assert waits == [(HOLD_S, HOLD_S + 3 * slowness) for slowness in (1, 2, 4, 8, 16, 16)]
    budget.estimate(1_600_000, now=now)
    budget.fell(now=now)
    assert climbs_again(budget, 1_300_000, since=now) == HOLD_S, "another network"


def test_a_dip_is_waited_for_and_a_fall_is_not() -> None:
    budget = Budget()
    budget.estimate(1_000_000, now=0)
    budget.allotted(900_000, 2_000_000, now=0)
    budget.estimate(760_000, now=1)
    assert budget.pictures_bps(0, now=1) == 900_000
    assert budget.pictures_bps(0, now=1 + PATIENCE_S) == 760_000
    budget.estimate(950_000, now=2)
    budget.estimate(760_000, now=3)
    assert budget.pictures_bps(0, now=1 + PATIENCE_S) == 900_000, "another dip"
    budget.estimate(600_000, now=3)
    assert budget.pictures_bps(0, now=3) == 600_000


def test_a_level_is_not_told_before_it_is_known() -> None:
    budget = Budget()
    budget.allotted(100, 100, now=0)
    assert budget.level is None
    budget.estimate(300_000, now=1)
    budget.allotted(100_000, 900_000, now=2)
    assert budget.level is None
    budget.allotted(100_000, 900_000, now=1 + LEVEL_AFTER_S)
    assert budget.level is Level.MINIMAL
    assert budget.short
    assert budget.probe_for_bps == pytest.approx(1_035_000, abs=1)


def test_a_path_may_carry_twice_its_estimate_but_not_what_was_too_much_a_moment_ago() -> None:
    budget = Budget()
    assert budget.may_carry(5_000_000, now=0.0), "nothing is known of it"
    budget.estimate(400_000, now=1.0)
    assert budget.may_carry(5_000_000, now=1.0), "estimates begin low"
    later = 1.0 + LEVEL_AFTER_S
    assert budget.may_carry(400_000 * PLAUSIBLE, now=later)
    assert not budget.may_carry(400_000 * PLAUSIBLE + 1, now=later)
    budget.allotted(400_000, 800_000, now=later)
    budget.fell(now=later)
    assert not budget.may_carry(100_000, now=later + HOLD_S - 0.1)
    assert budget.may_carry(340_000, now=later + HOLD_S)
    assert not budget.may_carry(500_000, now=later + HOLD_S)


# -- what changes -----------------------------------------------------------------------------------------------------

LOW, MIDDLE, HIGH = (Layer(index, 3, cost) for index, cost in enumerate(COSTS))


def wish(key: str, current: Layer | None, *, rank: Rank = Rank.OTHER, layers: Sequence[Layer] = ()) -> SlotWish[str]:
    return SlotWish(key, rank, layers or (LOW, MIDDLE, HIGH), current)


@pytest.mark.parametrize(
    ("before", "after", "top", "expected"),
    [
        (MIDDLE, MIDDLE, HIGH, Change.NONE),
        (MIDDLE, LOW, HIGH, Change.FALL),
        (MIDDLE, None, HIGH, Change.FALL),
        (MIDDLE, LOW, LOW, Change.NONE),  # it wants no more
        (MIDDLE, None, LOW, Change.FALL),
        (LOW, MIDDLE, HIGH, Change.CLIMB),
        (None, LOW, HIGH, Change.CLIMB),
        (None, None, HIGH, Change.NONE),
    ],
)
def test_what_a_change_is(before: Layer | None, after: Layer | None, top: Layer, expected: Change) -> None:
    layers = tuple(layer for layer in (LOW, MIDDLE, HIGH) if layer.encoding <= top.encoding)
    assert compare([wish("a", before, layers=layers)], {"a": after}) is expected


def test_a_fall_outweighs_a_climb() -> None:
    wishes = [wish("a", LOW), wish("b", HIGH)]
    assert compare(wishes, {"a": HIGH, "b": LOW}) is Change.FALL


def test_no_more_begin_at_once_than_fit_into_a_part_of_what_is_left() -> None:
    wishes = [wish("a", None), wish("b", LOW), wish("c", MIDDLE), wish("d", None, rank=Rank.SCREEN)]
    layers = {"a": LOW, "b": MIDDLE, "c": MIDDLE, "d": LOW}
    assert late(wishes, layers, left_bps=2_000_000) == set()
    assert late(wishes, layers, left_bps=1_000_000) == {"b"}
    assert late(wishes, layers, left_bps=100_000) == {"a", "b"}, "one always may, the first by rank"
    cut = in_turn(wishes, layers, {"a", "b"})
    assert [list(each.layers) for each in cut] == [[], [LOW], [LOW, MIDDLE], [LOW]]


def test_while_it_is_held_nothing_goes_beyond_what_is_shown() -> None:
    wishes = [wish("same", MIDDLE), wish("new", None), wish("paused", None)]
    assert [list(each.layers) for each in held(wishes, paused={"paused"})] == [[LOW, MIDDLE], [LOW], []]


def test_one_camera_is_kept() -> None:
    screen = wish("screen", None, rank=Rank.SCREEN)
    wishes = [wish("a", None), screen, wish("b", None, rank=Rank.PINNED), wish("c", None)]
    assert [each.key for each in keep_one_camera(wishes, first={"c"}) if each.layers] == ["screen", "c"]
    assert [each.key for each in keep_one_camera(wishes, first=()) if each.layers] == ["screen", "b"]
    assert keep_one_camera([screen], first=()) == [screen]


# -- demand -----------------------------------------------------------------------------------------------------------


class Publisher:
    """Does at once what it is asked."""

    def __init__(self, encodings: int = 3) -> None:
        self.id = TrackId("t")
        self.asked: tuple[bool, ...] = (True,) * encodings
        self.demand = Demand(self.ask)

    def ask(self, track: TrackId, encoding: int, active: bool) -> None:
        assert track == self.id
        assert self.asked[encoding] is not active
        self.asked = tuple(active if index == encoding else each for index, each in enumerate(self.asked))

    def passes(self, since: float, until: float, *needs: int | None) -> None:
        now = since
        while now <= until:
            if needs:
                self.demand.need(self, [each for each in needs if each is not None], now=now)
            self.demand.look([self], now=now)
            now += 0.5


def test_what_nobody_needs_rests_after_a_while_and_the_lowest_only_if_nobody_looks() -> None:
    publisher = Publisher()
    publisher.passes(0, PAUSE_AFTER_S - 0.5, 2)
    assert publisher.asked == (True, True, True)
    publisher.passes(PAUSE_AFTER_S, PAUSE_AFTER_S, 2)
    assert publisher.asked == (True, False, True)
    publisher.passes(PAUSE_AFTER_S, PAUSE_AFTER_S * 2, None)
    assert publisher.asked == (True, False, False)
    publisher.passes(PAUSE_AFTER_S * 2, PAUSE_AFTER_S * 3 + 1)
    assert publisher.asked == (False, False, False)
    publisher.demand.need(publisher, [1], now=100)
    assert publisher.asked == (True, True, False), "at once"


def test_who_keeps_an_encoding_has_it_sent_whoever_looks() -> None:
    publisher = Publisher()
    publisher.demand.keep(publisher.id, 1)
    publisher.passes(0, 20)
    assert publisher.asked == (True, True, False)
    publisher.demand.keep(publisher.id, None)
    publisher.passes(20, 40)
    assert publisher.asked == (False, False, False)
    publisher.demand.look([], now=41)


@given(st.lists(st.tuples(st.floats(0.1, 3), st.sets(st.integers(-1, 4), max_size=3)), max_size=40))
def test_what_was_needed_lately_is_always_asked_for(looks: list[tuple[float, set[int]]]) -> None:
    publisher, now = Publisher(), 0.0
    publisher.demand.look([publisher], now=now)
    needed_at = [0.0] * 3
    for elapsed_s, needs in looks:
        now += elapsed_s
        if needs:
            publisher.demand.need(publisher, needs, now=now)
            for each in {0, *needs} & {0, 1, 2}:
                needed_at[each] = now
        publisher.demand.look([publisher], now=now)
        for index, asked in enumerate(publisher.asked):
            assert asked is (now - needed_at[index] < PAUSE_AFTER_S)
