"""Limits of what publishers send: their shares, and who is reminded and muted when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.parameters import Rid
from signaling.bitrates import (
    EXCESS_FACTOR,
    MUTE_AFTER_S,
    REMINDER_AFTER_S,
    WINDOW_S,
    BitrateLimits,
    Excess,
    ExcessMeter,
    share,
)
from signaling.identifiers import Source
from signaling.sending import Sending
from signaling.server_messages import EncodingWanted


@given(st.integers(1, 10**9), st.integers(1, 4))
def test_shares_make_up_the_limit(limit_bps: int, encodings: int) -> None:
    shares = share(limit_bps, encodings)
    assert sum(shares) == limit_bps
    assert list(shares) == sorted(shares)


def test_a_limit_that_lets_nothing_through_is_refused() -> None:
    with pytest.raises(ValueError, match="bitrate of camera is 0 bit/s"):
        BitrateLimits(camera_bps=0)
    assert BitrateLimits(screen_bps=7).of(Source.SCREEN) == 7


def verdicts(bitrates_bps: list[float], *, limit_bps: int = 1_000_000, step_s: float = 2.0) -> dict[float, Excess]:
    """Return what a meter says, when, of somebody who sends like this in steps."""
    meter, sent = ExcessMeter(), 0.0
    said: dict[float, Excess] = {}
    for index, bitrate_bps in enumerate(bitrates_bps):
        sent += bitrate_bps * step_s / 8
        verdict = meter.look((int(sent),), (limit_bps,), now=index * step_s)
        if verdict is not Excess.NONE:
            said[index * step_s] = verdict
    return said


def test_who_stays_below_the_factor_hears_nothing() -> None:
    assert not verdicts([1_000_000 * EXCESS_FACTOR * 0.99] * 100)


def test_who_goes_beyond_is_reminded_then_muted_and_watched_anew() -> None:
    said = verdicts([2_000_000.0] * 30)
    times = list(said)
    assert list(said.values())[:3] == [Excess.REMIND, Excess.MUTE, Excess.REMIND]
    assert times[0] == pytest.approx(REMINDER_AFTER_S, abs=WINDOW_S)
    assert times[1] == pytest.approx(MUTE_AFTER_S, abs=WINDOW_S)


def test_a_burst_is_forgiven() -> None:
    assert not verdicts([100_000.0] * 5 + [9_000_000.0] * 3 + [100_000.0] * 20)


def test_each_encoding_has_its_own_limit() -> None:
    meter = ExcessMeter()
    said = {meter.look((second * 100_000, second), (10_000, 10**9), now=float(second)) for second in range(30)}
    assert Excess.MUTE in said


def test_a_producer_with_other_encodings_than_before_is_no_excess() -> None:
    meter = ExcessMeter()
    meter.look((1, 1, 1), (1, 1, 1), now=0.0)
    assert meter.look((10**9,), (1,), now=1.0) is Excess.NONE


def test_what_the_publisher_is_told() -> None:
    sending = Sending([Rid("q"), Rid("h"), Rid("f")])
    assert sending.limit(2_100_000)
    assert not sending.limit(2_100_000)
    assert sending.want(2, active=False)
    assert not sending.want(2, active=False)
    assert sending.view() == (
        EncodingWanted(rid=Rid("q"), active=True, max_bitrate_bps=100_000),
        EncodingWanted(rid=Rid("h"), active=True, max_bitrate_bps=400_000),
        EncodingWanted(rid=Rid("f"), active=False, max_bitrate_bps=1_600_000),
    )
    assert Sending([]).view() == ()
