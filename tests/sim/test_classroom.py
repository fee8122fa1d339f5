"""A class on networks of every kind: each viewer gets what its own path carries, and publishers send what is seen."""

from __future__ import annotations

import os
from itertools import cycle, islice
from statistics import mean, quantiles

from tests.sim.classroom import RATES_BPS, TICK_S, Classroom, Downlink

SECONDS = int(os.environ.get("HALQA_TEST_CLASS_SECONDS", "30"))
"""Of virtual time; a thousand take a minute."""
LIMITS_BPS = (500_000, 1_500_000, 4_000_000)
WARM_UP_S = 10
WINDOW_S = 5


def windows_bps(downlink: Downlink) -> list[float]:
    """Return the mean bitrates of what was sent, over windows after the start."""
    seconds = downlink.sent_bits[1 + WARM_UP_S :]
    return [mean(seconds[at : at + WINDOW_S]) for at in range(len(seconds) - WINDOW_S + 1)]


def test_thirty_people_who_watch_nine_each_stay_under_their_own_limits() -> None:
    room = Classroom(list(islice(cycle(LIMITS_BPS), 30)), watched=9)
    room.run(SECONDS)
    for downlink in room.downlinks:
        limit_bps = downlink.path.rate_bps
        windows = windows_bps(downlink)
        assert mean(windows) < limit_bps
        assert max(windows) <= limit_bps * 1.1, "an estimate that is too high is found out within seconds"
        assert downlink.probe_bits <= 0.15 * limit_bps * SECONDS
        assert quantiles(downlink.queued_s, n=20)[-1] <= 0.15
        assert downlink.moves <= SECONDS
    for limit_bps in LIMITS_BPS:
        used = mean(mean(windows_bps(each)) / limit_bps for each in room.downlinks if each.path.rate_bps == limit_bps)
        assert used >= 0.4, f"of {limit_bps}"
    shown = {id(slot.producer) for downlink in room.downlinks for slot in downlink.slots}
    for key, publisher in room.publishers.items():
        assert publisher.sends[-1] is False, "nobody looks at 720 lines"
        assert publisher.sends[0] is (key in shown)
    assert len(shown) < len(room.publishers)


def test_one_bad_viewer_among_fifty_costs_the_others_nothing() -> None:
    room = Classroom([6_000_000] * 50, watched=1, height=720, publishers=1)
    teacher = next(iter(room.publishers.values()))
    bad, others = room.downlinks[1], room.downlinks[2:]
    room.run(10)

    def measure() -> tuple[int, list[float]]:
        sent_before = teacher.sent_bits
        room.run(5)
        return teacher.sent_bits - sent_before, [mean(each.sent_bits[-5:]) for each in others]

    sent, seen = measure()
    bad.path.rate_bps, bad.path.loss = 250_000, 0.1
    room.run(5)
    sent_now, seen_now = measure()
    assert all(abs(now - before) <= 0.02 * before for before, now in zip(seen, seen_now, strict=True))
    assert abs(sent_now - sent) <= 0.02 * sent
    assert mean(bad.sent_bits[-5:]) <= 250_000


def test_a_path_that_narrows_is_obeyed_within_two_seconds_and_used_again_within_ten() -> None:
    room = Classroom([6_000_000, 3_000_000], watched=1, height=720, publishers=1)
    viewer = room.downlinks[1]
    top_bps = RATES_BPS[-1]
    room.run(20)
    assert mean(viewer.sent_bits[-5:]) >= top_bps * 0.95
    viewer.path.rate_bps = 300_000
    room.run(2)
    room.run(20)
    assert (
        max(mean(viewer.sent_bits[at : at + 3]) for at in range(len(viewer.sent_bits) - 20, len(viewer.sent_bits) - 2))
        <= 300_000 * 1.05
    )
    viewer.path.rate_bps = 3_000_000
    room.run(10)
    assert viewer.slots[0].layers == (2, 3)


def test_what_is_wanted_again_comes_within_half_a_second() -> None:
    room = Classroom([6_000_000, 6_000_000], watched=1, height=720, publishers=1)
    viewer, (teacher,) = room.downlinks[1], room.publishers.values()
    room.run(10)
    room.wants(viewer, 180)
    room.run(7)
    assert teacher.sends == [True, False, False]
    room.wants(viewer, 720)
    waited_s = 0.0
    while viewer.slots[0].encoding != len(RATES_BPS) - 1 and waited_s < 5:
        room.tick()
        waited_s += TICK_S
    assert waited_s <= 0.5
