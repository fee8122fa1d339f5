"""What the bandwidth estimate does on paths that are known: steady, narrowing, lossy, shared."""

from __future__ import annotations

import os
from statistics import mean, median

import pytest

from tests.sim.path import Call, Path, Second
from tests.sim.rival import Rival

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
@pytest.mark.parametrize("rate_bps", [1_000_000, 2_000_000, 20_000_000])
def test_a_wide_path_is_known_to_be_wide_within_a_second(rate_bps: int, seed: int) -> None:
    call = Call(Path(rate_bps, seed=seed), wanted_bps=2_500_000)
    call.run(1)
    assert call.estimate_bps >= 0.8 * min(rate_bps, call.wanted_bps)
    assert call.run(4)[-1].queue_p95_ms <= 200, "and is not filled by who looked for it"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rate_bps", [1_000_000, 1_500_000, 4_000_000])
def test_who_sends_little_learns_nothing_bad_of_a_path_by_its_own_key_frames(rate_bps: int, seed: int) -> None:
    call = Call(Path(rate_bps, seed=seed), sends_bps=200_000)
    call.run(5)
    least_bps = 1e9
    for _ in range(15):
        call.key_frame_bytes = 20_000
        call.run(2)
        least_bps = min(least_bps, call.estimate_bps)
    assert least_bps >= 0.5 * rate_bps


@pytest.mark.parametrize("seed", SEEDS)
def test_who_sends_little_finds_out_that_a_path_carries_even_less(seed: int) -> None:
    path = Path(1_500_000, seed=seed)
    call = Call(path, sends_bps=500_000)
    call.run(10)
    path.rate_bps = 300_000
    call.run(2)
    assert sent_bps(call.run(10)) <= 300_000 * 1.05
    assert median(second.queue_p95_ms for second in call.seconds[-10:]) <= 150


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


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("queue_s", [0.1, 0.3])
def test_beside_a_flow_that_fills_the_queue_something_is_kept_and_left(queue_s: float, seed: int) -> None:
    path = Path(2_000_000, seed=seed, queue_s_max=queue_s)
    call, rival = Call(path), Rival(path)
    call.run(10)
    call.beside = rival.step
    call.run(10)
    before = rival.acknowledged_bits
    assert sent_bps(call.run(30)) >= 0.3 * path.rate_bps
    assert (rival.acknowledged_bits - before) / 30 >= 0.08 * path.rate_bps


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
