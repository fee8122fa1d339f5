"""The relay's decisions: the same for the same seed, and of the size that the profile says."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from benchmarks.relay.impairment import HEADER_BYTES, Fate, Impairment, Verdict
from benchmarks.relay.packet import Kind
from benchmarks.relay.schedule import parse_schedule

MANY = 12_000
EVERYTHING = (
    "loss=5% burst=4 delay=30ms jitter=40ms reorder=3%/50ms rate=2Mbit duplicate=2% corrupt=2%;"
    "2s rate=300kbit queue=100ms unordered; 4s blackout=500ms; 6s clear loss=10%"
)


def run(text: str, *, seed: int = 1, name: str = "up", packets: int = MANY, size: int = 1000) -> list[Verdict]:
    """Decide on a packet a millisecond."""
    impairment = Impairment(parse_schedule(text), seed, name)
    return [impairment.decide(number, size, Kind.RTP, now=number / 1000) for number in range(packets)]


def fates(verdicts: list[Verdict]) -> Counter[Fate]:
    return Counter(verdict.fate for verdict in verdicts)


@pytest.mark.parametrize("seed", range(20))
def test_same_seed_and_packets_give_the_same_decisions(seed: int) -> None:
    assert run(EVERYTHING, seed=seed, packets=7000) == run(EVERYTHING, seed=seed, packets=7000)
    assert run(EVERYTHING, seed=seed, packets=500) != run(EVERYTHING, seed=seed + 1, packets=500)


def test_directions_of_one_seed_differ() -> None:
    assert run("loss=50%", name="up") != run("loss=50%", name="down")


def test_another_effect_does_not_move_the_losses() -> None:
    bare = [verdict.fate for verdict in run("loss=5%")]
    assert bare == [verdict.fate for verdict in run("loss=5% delay=10ms jitter=30ms duplicate=5% corrupt=5%")]


def test_nothing_happens_without_a_schedule() -> None:
    assert run("", packets=3) == [Verdict(Fate.PASSED, (number / 1000,)) for number in range(3)]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_loss_has_the_share_that_was_asked_for(share: float) -> None:
    lost = fates(run(f"loss={share * 100}%"))[Fate.LOST]
    assert lost / MANY == pytest.approx(share, abs=4 * (share / MANY) ** 0.5)


def test_bursts_have_the_share_and_the_length() -> None:
    verdicts = run("loss=5% burst=5", packets=5 * MANY)
    is_lost = [verdict.fate is Fate.LOST for verdict in verdicts]
    bursts = sum(later and not earlier for earlier, later in pairwise(is_lost))
    assert sum(is_lost) / len(is_lost) == pytest.approx(0.05, rel=0.2)
    assert sum(is_lost) / bursts == pytest.approx(5, rel=0.2)


def test_gilbert_elliott_loses_in_both_states() -> None:
    lost = fates(run("gemodel=10%/10%/60%/2%", packets=5 * MANY))[Fate.LOST]
    assert lost / (5 * MANY) == pytest.approx(0.31, rel=0.1)  # half the time each


def test_rate_spaces_packets_and_its_queue_overflows() -> None:
    verdicts = run("rate=800kbit queue=50ms", size=1000 - HEADER_BYTES)  # 10 ms each, one a millisecond comes
    passed = [(number / 1000, *verdict.leaves_s) for number, verdict in enumerate(verdicts) if verdict.leaves_s]
    assert fates(verdicts)[Fate.QUEUE_FULL] == MANY - len(passed)
    assert [later[1] - earlier[1] for earlier, later in pairwise(passed)] == pytest.approx([0.010] * (len(passed) - 1))
    assert max(leaves - came for came, leaves in passed) <= 0.050 + 0.010 + 1e-9
    assert len(passed) == pytest.approx(MANY / 10, abs=7)


def test_jitter_keeps_the_order_unless_told_otherwise() -> None:
    def is_ordered(text: str) -> bool:
        left = [verdict.leaves_s[0] for verdict in run(text, packets=1000)]
        return left == sorted(left)

    assert is_ordered("delay=20ms jitter=40ms")
    assert not is_ordered("delay=20ms jitter=40ms unordered")
    assert not is_ordered("reorder=5%")


def test_held_packets_let_others_pass() -> None:
    verdicts = run("reorder=5%/40ms")
    held = [number for number, verdict in enumerate(verdicts) if verdict.leaves_s[0] > number / 1000]
    assert len(held) / MANY == pytest.approx(0.05, rel=0.2)
    assert {round(verdicts[number].leaves_s[0] - number / 1000, 6) for number in held} == {0.04}


def test_duplicates_and_damage() -> None:
    verdicts = run("duplicate=3% corrupt=2%")
    assert sum(len(verdict.leaves_s) == 2 for verdict in verdicts) / MANY == pytest.approx(0.03, rel=0.2)
    bits = [verdict.flipped_bit for verdict in verdicts if verdict.flipped_bit is not None]
    assert len(bits) / MANY == pytest.approx(0.02, rel=0.25)
    assert 0 <= min(bits) < 400
    assert 7600 < max(bits) < 8000, "everywhere in the packet"


def test_steps_take_over_at_their_times() -> None:
    verdicts = run("loss=100%; 1s clear; 2s blackout=500ms; 3s mtu=999", packets=4000)
    expected = [Fate.LOST] * 1000 + [Fate.PASSED] * 1000 + [Fate.BLACKOUT] * 500 + [Fate.PASSED] * 500
    assert [verdict.fate for verdict in verdicts] == expected + [Fate.TOO_LARGE] * 1000


def test_only_media_is_hit_when_asked_for() -> None:
    impairment = Impairment(parse_schedule("loss=100% only=media"), 1, "up")
    passed = {kind for kind in Kind if impairment.decide(0, 100, kind, now=0).fate is Fate.PASSED}
    assert passed == {Kind.STUN, Kind.DTLS, Kind.OTHER}


def test_a_change_counts_its_times_from_then() -> None:
    impairment = Impairment(parse_schedule("loss=100%"), 1, "up")
    assert impairment.decide(0, 100, Kind.RTP, now=0).fate is Fate.LOST
    impairment.change(parse_schedule("1s blackout"), now=10)
    found = [impairment.decide(number, 100, Kind.RTP, now=10 + number / 2).fate for number in range(4)]
    assert found == [Fate.PASSED, Fate.PASSED, Fate.BLACKOUT, Fate.BLACKOUT]


def test_irregular_packets_leave_within_their_bounds() -> None:
    chance = random.Random(5)
    impairment = Impairment(parse_schedule("delay=10ms jitter=5ms rate=5Mbit queue=20ms"), 1, "up")
    now = 0.0
    for number in range(5000):
        now += chance.expovariate(400)
        for leaves in impairment.decide(number, chance.randint(0, 1400), Kind.RTP, now=now).leaves_s:
            assert now + 0.010 <= leaves <= now + 0.010 + 0.005 + 0.020 + 0.003 + 1e-9
