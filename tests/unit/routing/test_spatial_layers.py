"""The layers of one stream as viewers may choose among them: sizes, costs, and the parts of their frame rates."""

from __future__ import annotations

import pytest

from media.routing.layers import spatial_layers

LOW = [(0, 0, 400, 40_000, 320, 180), (0, 1, 600, 60_000, 320, 180), (0, 2, 1000, 100_000, 320, 180)]
HIGH = [(1, 0, 2000, 200_000, 640, 360), (1, 1, 3000, 300_000, 640, 360), (1, 2, 5000, 500_000, 640, 360)]


def test_each_size_costs_what_its_highest_frame_rate_costs() -> None:
    low, high = spatial_layers([*HIGH, *LOW])
    assert (low.height, low.received_bytes, low.bitrate_bps) == (180, 1000, 100_000)
    assert (high.height, high.received_bytes, high.bitrate_bps) == (360, 5000, 500_000)
    assert low.temporal_shares == pytest.approx((0.4, 0.6, 1.0))


def test_a_size_that_is_not_sent_stands_for_the_next_above() -> None:
    assert spatial_layers(HIGH) == (*spatial_layers([*LOW, *HIGH])[1:], *spatial_layers([*LOW, *HIGH])[1:])


def test_rates_that_nothing_comes_of_are_none() -> None:
    (layer,) = spatial_layers([(0, rate, 400, 40_000, 0, 0) for rate in range(4)])
    assert layer.temporal_shares == (1.0,)


def test_without_layers_or_bitrates_nothing_is_made_up() -> None:
    assert spatial_layers([]) == ()
    assert spatial_layers([(0, 0, 0, 0, 0, 0)])[0].temporal_shares == ()
