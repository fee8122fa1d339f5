"""Wanted height and frame rate to encoding and temporal layer, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.identifiers import Source
from signaling.layers import (
    TEMPORAL_ALL,
    Rendition,
    choose_encoding,
    choose_rendition,
    choose_temporal_layer,
    default_height,
)

UNKNOWN = [0, 0, 0]


@pytest.mark.parametrize(
    ("wanted", "declared", "expected"),
    [
        (None, 720, 2),
        (1, 720, 0),
        (180, 720, 0),
        (198, 720, 0),  # a tenth larger than 180
        (199, 720, 1),
        (360, 720, 1),
        (396, 720, 1),
        (397, 720, 2),
        (4000, 720, 2),
        (360, None, 1),  # as if 720 was declared
        (360, 360, 2),
        (360, 1440, 0),
        (540, 1080, 1),
        (270.5, 1080, 0),
    ],
)
def test_three_encodings_of_unknown_height(wanted: float | None, declared: int | None, expected: int) -> None:
    assert choose_encoding(UNKNOWN, wanted_height=wanted, declared_height=declared) == expected


@pytest.mark.parametrize(
    ("heights", "wanted", "expected"),
    [
        ((90, 180, 360), 360, 2),
        ((90, 180, 360), 100, 1),
        ((360, 360, 360), 360, 0),
        ((180, 0, 720), 360, 1),  # the one in the middle is taken as 360
        ((0, 0, 360), 180, 0),  # the two below are taken by the declared 720
        ((0, 720), 360, 0),
        ((0, 720), 400, 1),
    ],
)
def test_real_heights_win_over_declared_ones(heights: tuple[int, ...], wanted: float, expected: int) -> None:
    assert choose_encoding(heights, wanted_height=wanted, declared_height=720) == expected


@pytest.mark.parametrize(
    ("heights", "wanted", "expected"),
    [
        ((0, 0), 540, 1),
        ((1080, 0), 540, 1),
        ((720, 720), 1080, 1),
        ((360, 720, 720), 300, 0),
        ((360, 720, 720), 700, 2),
    ],
)
def test_of_encodings_of_one_size_of_a_screen_the_one_with_the_most_frames(
    heights: tuple[int, ...], wanted: float, expected: int
) -> None:
    chosen = choose_encoding(heights, wanted_height=wanted, declared_height=720, source=Source.SCREEN)
    assert chosen == expected


@pytest.mark.parametrize("count", [0, 1])
def test_a_single_encoding_is_the_only_choice(count: int) -> None:
    assert choose_encoding([0] * count, wanted_height=1000, declared_height=720) == 0


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=4), st.floats(1, 4000), st.floats(1, 4000))
def test_wanting_more_never_gets_less(heights: list[int], one: float, other: float) -> None:
    low, high = (
        choose_encoding(sorted(heights), wanted_height=each, declared_height=720) for each in sorted((one, other))
    )
    assert low <= high


@pytest.mark.parametrize(
    ("frame_rate", "expected"),
    [
        (None, TEMPORAL_ALL),
        (0.5, 0),
        (5, 0),
        (7.5, 0),
        (8, 0),
        (10, 1),
        (15, 1),
        (16, 1),
        (17, TEMPORAL_ALL),
        (30, TEMPORAL_ALL),
        (60, TEMPORAL_ALL),
    ],
)
def test_frame_rate_to_temporal_layer(frame_rate: float | None, expected: int) -> None:
    assert choose_temporal_layer(frame_rate) == expected


def test_a_screen_must_be_readable_and_a_camera_fits_a_grid() -> None:
    assert default_height(Source.SCREEN) is None
    assert default_height(Source.CAMERA) == 360


@pytest.mark.parametrize(
    ("rids", "expected"),
    [
        (["q", "h", "f"], [0, 1, 2]),
        (["h", "f"], [0, 0, 1]),  # without q the lowest there is
        (["0", "1", "2"], [0, 1, 2]),  # OBS counts
        (["low", "high"], [0, 0, 1]),
        ([None], [0, 0, 0]),
        ([], [0, 0, 0]),
    ],
)
def test_a_rendition_is_a_rid_or_its_place(rids: list[str | None], expected: list[int]) -> None:
    assert [choose_rendition(rids, rendition) for rendition in Rendition] == expected
