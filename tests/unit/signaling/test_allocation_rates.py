"""What encodings cost, and the ladders that slots climb: tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bwe.allocator import Layer, Rank
from media.rtp.parameters import MediaKind
from signaling.allocation_rates import ABSENT_AFTER_S, COST_BPS_MIN, Rates, TrackRates
from signaling.allocation_wishes import has_temporal_layers, ladder, rank_of, usual_bps
from signaling.identifiers import SlotKind, Source, TrackId
from signaling.layers import TEMPORAL_ALL

COSTS = (150_000, 500_000, 1_500_000)
USUAL = (100_000, 400_000, 1_000_000)
ALL = (True, True, True)


# -- rates ------------------------------------------------------------------------------------------------------------


def measured(
    seconds: int, rates_bps: Sequence[int], *, asked: Sequence[bool] = ALL, rates: TrackRates | None = None, at: int = 0
) -> TrackRates:
    """Return what is known after publishers sent so much for so long."""
    rates = rates or TrackRates((0,) * len(rates_bps), now=at)
    for second in range(1, seconds + 1):
        rates.look([each // 8 * (at + second) for each in rates_bps], asked, now=at + second)
    return rates


def test_what_never_came_costs_what_is_usual() -> None:
    assert TrackRates((0, 0, 0), now=0).costs(USUAL) == USUAL


def test_what_comes_costs_what_it_is() -> None:
    assert measured(10, COSTS).costs(USUAL) == COSTS


def test_encoders_begin_slowly_and_are_not_believed_before_they_settled() -> None:
    assert measured(2, (20_000, 30_000, 40_000)).costs(USUAL) == USUAL
    assert measured(3, (20_000, 30_000, 40_000)).costs(USUAL) == (20_000, 30_000, 40_000)


def test_more_is_believed_sooner_than_less() -> None:
    rates = TrackRates((0,), now=0)
    total, costs = 0, []
    for second, bitrate_bps in enumerate([100_000] * 10 + [800_000] * 3 + [100_000] * 3, start=1):
        total += bitrate_bps // 8
        rates.look((total,), (True,), now=second)
        costs.append(rates.costs((0,))[0])
    assert costs[12] > 700_000
    assert costs[15] > 400_000


def test_a_picture_that_stands_still_costs_a_little_yet() -> None:
    assert measured(10, (100,)).costs((50_000,)) == (COST_BPS_MIN,)


def test_what_rests_is_remembered() -> None:
    rates = TrackRates((0, 0), now=0)
    for second in range(1, 31):
        rates.look((20_000 * second, 60_000 * min(second, 10)), (True, second <= 10), now=second)
    assert rates.costs((1, 1)) == (160_000, 480_000)


def test_what_a_publisher_withholds_costs_what_comes_in_its_place() -> None:
    rates = TrackRates((0, 0, 0), now=0)
    for second in range(1, int(ABSENT_AFTER_S) + 3):
        rates.look((20_000 * second, 0, 0), ALL, now=second)
    assert rates.costs(USUAL) == (160_000, 160_000, 160_000)
    rates = TrackRates((0, 0), now=0)
    for second in range(1, int(ABSENT_AFTER_S) + 3):
        rates.look((0, 60_000 * second), (True, True), now=second)
    assert rates.costs((100_000, 1)) == (480_000, 480_000), "nothing flows below, so the next above is sent"


def test_news_of_costs_is_told_once() -> None:
    rates = measured(5, COSTS)
    assert rates.has_moved((100, 1000))
    assert not rates.has_moved((109, 1000))
    assert rates.has_moved((109, 1101))


@dataclass
class Sent:
    id: TrackId
    received_bytes: tuple[int, ...]
    asked: tuple[bool, ...] = (True,)
    kind: MediaKind = MediaKind.VIDEO


def test_tracks_that_are_gone_are_forgotten() -> None:
    rates, track = Rates(), TrackId("t")
    for second in range(6):
        rates.look([Sent(track, (100_000 * second,))], now=second)
    assert rates.costs(track, (1,)) == (800_000,)
    rates.look([], now=7)
    assert rates.costs(track, (1,)) == (1,)
    assert not rates.has_moved(track, (5,))


# -- ladders ----------------------------------------------------------------------------------------------------------


def steps(layers: Sequence[Layer]) -> list[tuple[int, int]]:
    return [(layer.encoding, layer.temporal) for layer in layers]


@pytest.mark.parametrize(
    ("highest", "temporal", "layered", "is_screen", "expected"),
    [
        (2, TEMPORAL_ALL, True, False, [(0, 0), (0, 1), (0, 3), (1, 1), (1, 3), (2, 1), (2, 3)]),
        (1, TEMPORAL_ALL, True, False, [(0, 0), (0, 1), (0, 3), (1, 1), (1, 3)]),
        (2, 1, True, False, [(0, 0), (0, 1), (1, 1), (2, 1)]),
        (2, 0, True, False, [(0, 0), (1, 0), (2, 0)]),
        (2, TEMPORAL_ALL, False, False, [(0, 3), (1, 3), (2, 3)]),
        (2, 1, False, False, [(0, 1), (1, 1), (2, 1)]),
        (0, TEMPORAL_ALL, True, True, [(0, 0), (0, 1), (0, 3)]),
        (2, TEMPORAL_ALL, True, True, [(0, 0), (1, 0), (2, 0), (2, 1), (2, 3)]),
        (2, TEMPORAL_ALL, False, True, [(0, 3), (1, 3), (2, 3)]),
    ],
)
def test_a_camera_climbs_with_its_frames_and_a_screen_in_size_first(
    highest: int, temporal: int, layered: bool, is_screen: bool, expected: list[tuple[int, int]]
) -> None:
    layers = ladder(COSTS, highest=highest, temporal=temporal, layered=layered, is_screen=is_screen)
    assert steps(layers) == expected
    assert layers[-1].bitrate_bps == COSTS[highest] * (1.0 if not layered or temporal == 3 else (0.5, 0.7)[temporal])


def test_a_screen_of_two_encodings_of_one_size_has_all_frames_of_each() -> None:
    layers = ladder((200_000, 1_000_000), highest=1, temporal=3, layered=True, is_screen=True, one_size=True)
    assert steps(layers) == [(0, 3), (1, 3)]
    still = ladder((20_000, 300_000), highest=1, temporal=3, layered=True, is_screen=True, one_size=True)
    assert [layer.bitrate_bps for layer in still] == [20_000, 300_000]
    alone = ladder((1_000_000,), highest=0, temporal=3, layered=True, is_screen=True, one_size=True)
    assert steps(alone) == [(0, 0), (0, 1), (0, 3)]


def test_what_is_worse_and_costs_no_less_is_no_step() -> None:
    layers = ladder((300_000, 200_000, 200_000), highest=2, temporal=3, layered=False, is_screen=False)
    assert steps(layers) == [(2, 3)]


@given(
    st.lists(st.integers(1, 5_000_000), min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
)
def test_every_step_costs_more_and_the_last_is_what_is_wanted(
    costs: list[int], at: int, temporal: int, layered: bool, is_screen: bool
) -> None:
    highest = min(at, len(costs) - 1)
    layers = ladder(costs, highest=highest, temporal=temporal, layered=layered, is_screen=is_screen)
    assert steps(layers)[-1] == (highest, temporal)
    assert steps(layers) == sorted(steps(layers))
    assert all(one.bitrate_bps < other.bitrate_bps for one, other in pairwise(layers))


@pytest.mark.parametrize(
    ("codec", "encodings", "expected"),
    [("VP8", 3, True), ("VP8", 1, False), ("vp9", 1, True), ("AV1", 1, True), ("H264", 3, False), (None, 3, False)],
)
def test_which_codecs_have_temporal_layers(codec: str | None, encodings: int, expected: bool) -> None:
    assert has_temporal_layers(codec, encodings) is expected


@pytest.mark.parametrize(
    ("height", "least", "most"),
    [(90, 30_000, 70_000), (180, 150_000, 150_000), (360, 400_000, 550_000), (720, 1.2e6, 1.8e6), (1080, 2.5e6, 3.2e6)],
)
def test_what_cameras_usually_cost(height: int, least: float, most: float) -> None:
    assert least <= usual_bps(height, source=Source.CAMERA, limit_bps=0) <= most
    assert usual_bps(height, source=Source.CAMERA, limit_bps=20_000) == 20_000


@pytest.mark.parametrize(
    ("source", "kind", "pinned", "in_spotlight", "speaks", "expected"),
    [
        (Source.SCREEN, SlotKind.VIDEO, True, True, True, Rank.SCREEN),
        (Source.CAMERA, SlotKind.STAGE, False, False, False, Rank.PINNED),
        (Source.CAMERA, SlotKind.VIDEO, True, False, False, Rank.PINNED),
        (Source.CAMERA, SlotKind.VIDEO, False, True, True, Rank.PINNED),
        (Source.CAMERA, SlotKind.VIDEO, False, False, True, Rank.SPEAKER),
        (Source.CAMERA, SlotKind.VIDEO, False, False, False, Rank.OTHER),
    ],
)
def test_who_comes_first(
    source: Source, kind: SlotKind, pinned: bool, in_spotlight: bool, speaks: bool, expected: Rank
) -> None:
    assert rank_of(source=source, kind=kind, pinned=pinned, in_spotlight=in_spotlight, speaks=speaks) is expected


def test_measured_shares_of_frame_rates_decide_what_a_step_costs() -> None:
    shares = [(0.4, 0.6, 1.0), (0.25, 1.0)]
    climbed = ladder([100, 400], highest=1, temporal=3, layered=True, is_screen=False, shares=shares)
    assert [(each.encoding, each.temporal, each.bitrate_bps) for each in climbed][:3] == [
        (0, 0, 40),
        (0, 1, 60),
        (0, 3, 100),
    ]
    assert climbed[-1].bitrate_bps == 400
