"""What the bandwidth estimate does on paths that are known: steady, narrowing, lossy, shared."""

from __future__ import annotations

import os
from statistics import mean, median

import pytest

from tests.sim.path import Call, Path, Second

SEEDS = range(1, 1 + int(os.environ.get("HALQA_TEST_SEEDS", "6")))


def sent_bps(seconds: list[Second]) -> float:
    return mean(second.sent_bps for second in seconds)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rate_bps", [300_000, 1_000_000, 3_000_000, 5_000_000])
def test_a_steady_link_is_used_and_its_queue_stays_short(rate_bps: int, seed: int) -> None:
    call = Call(Path(rate_bps, seed=seed))
    call.run(8)
    seconds = call.run(40)
    assert 0.85 <= sent_bps(seconds) / rate_bps <= 1.0
    assert median(second.queue_p95_ms for second in seconds) <= 150


@pytest.mark.parametrize("seed", SEEDS)
def test_a_link_that_narrows_is_obeyed_within_two_seconds_and_found_again_within_ten(seed: int) -> None:
    path = Path(3_000_000, seed=seed)
    call = Call(path)
    call.run(20)
    path.rate_bps = 300_000
    call.run(2)
    assert sent_bps(call.run(20)) < 300_000 * 1.05
    path.rate_bps = 3_000_000
    call.run(9)
    assert sent_bps(call.run(1)) > 1_500_000, "the top layer"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", [0.05, 0.1])
def test_a_radio_that_loses_is_no_congestion(loss: float, seed: int) -> None:
    call = Call(Path(2_000_000, seed=seed, loss=loss))
    call.run(10)
    assert sent_bps(call.run(30)) > 1_000_000


@pytest.mark.parametrize("seed", SEEDS)
def test_what_another_flow_takes_is_left_to_it_and_no_more(seed: int) -> None:
    path = Path(2_000_000, seed=seed)
    call = Call(path)
    call.run(15)
    path.other_bps = 1_000_000
    call.run(5)
    assert sent_bps(call.run(20)) >= 0.3 * 2_000_000
    path.other_bps = 0
    call.run(10)
    assert sent_bps(call.run(10)) > 1_500_000


def test_a_peer_that_estimates_by_itself_is_believed() -> None:
    call = Call(Path(5_000_000))
    assert call.estimator.remb(400_000, 1) == 400_000, "without other feedback"
    call.run(5)
    assert call.estimator.remb(350_000, 5_000_000) <= 350_000
    call.run(5)
    assert call.estimate_bps <= 350_000


def test_nothing_is_probed_that_nobody_could_use() -> None:
    call = Call(Path(5_000_000), wanted_bps=200_000)
    call.run(10)
    assert call.estimator.facts()["probes_sent"] == 0
