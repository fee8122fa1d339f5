"""Clients that estimate by themselves (REMB), and say no more than some half more than they are sent."""

from __future__ import annotations

import pytest

from signaling.allocation_reach import GROWTH, OBJECTION, PAUSE_S, REACH_MAX, STALL_S, Reach
from signaling.identifiers import Source
from tests.unit.signaling.offers import sdk_offer
from tests.unit.signaling.stage import Person, Stage
from tests.unit.signaling.test_allocation import CAMERA_BPS, passes, sent, wants

SLOTS = (("10", "audio"), ("20", "video"))
RECEIVER_GROWTH = 1.08
"""A second, as libwebrtc's."""


class Receiver:
    """A client at the end of a path, that estimates as libwebrtc does without probes."""

    def __init__(self, viewer: Person, path_bps: int) -> None:
        self.viewer = viewer
        self.path_bps = path_bps
        self.told_bps = 200_000
        self.seen_bps: list[int] = []

    def pass_second(self, stage: Stage) -> None:
        layers = sent(self.viewer.consumer("20"))
        sent_bps = CAMERA_BPS[layers[0]] if layers else 0
        if sent_bps > self.path_bps:
            self.told_bps = min(self.told_bps, round(0.85 * self.path_bps))
        else:
            self.told_bps = max(
                min(round(self.told_bps * RECEIVER_GROWTH), round(1.5 * sent_bps) + 10_000),
                min(self.told_bps, 160_000),
            )
        self.seen_bps.append(sent_bps)
        passes(stage, 1, estimates={self.viewer: self.told_bps})


@pytest.fixture
def stage() -> Stage:
    return Stage()


def joins(stage: Stage) -> Person:
    teacher = stage.joins("teacher")
    teacher.publishes(Source.CAMERA, height=720)
    teacher.producer(Source.CAMERA).change(codec="VP8", heights=(180, 360, 720))
    offer = sdk_offer(slots=SLOTS).replace("a=rtcp-fb:96 transport-cc", "a=rtcp-fb:96 goog-remb")
    viewer = stage.joins("viewer", slots=SLOTS, offer=offer)
    stage.drain()
    wants(viewer, 720, "20")
    passes(stage, 4)
    return viewer


def test_who_estimates_by_itself_climbs_to_the_top_of_a_wide_path(stage: Stage) -> None:
    receiver = Receiver(joins(stage), 10_000_000)
    for _ in range(40):
        receiver.pass_second(stage)
    assert receiver.seen_bps[-1] == CAMERA_BPS[-1]
    told = receiver.seen_bps[2:]  # before the first estimate everything is sent
    assert told == sorted(told), "and never falls"


@pytest.mark.parametrize(("path_bps", "best"), [(300_000, 0), (900_000, 1)])
def test_a_narrow_path_is_found_out_and_tried_ever_more_rarely(stage: Stage, path_bps: int, best: int) -> None:
    receiver = Receiver(joins(stage), path_bps)
    for _ in range(240):
        receiver.pass_second(stage)
    too_much = [each > path_bps for each in receiver.seen_bps]
    assert sum(too_much[-120:]) <= 120 * 0.2
    assert receiver.seen_bps.count(CAMERA_BPS[best]) >= 120


def test_what_is_taken_grows_until_the_client_objects() -> None:
    reach = Reach(200_000, now=0)
    assert reach.bitrate_bps(used_bps=150_000, now=2) == pytest.approx(200_000 * GROWTH**2)
    assert reach.bitrate_bps(used_bps=150_000, now=60) == 200_000 * REACH_MAX
    reach.hear(round(200_000 * OBJECTION) - 1, now=61)
    assert reach.bitrate_bps(used_bps=150_000, now=61 + PAUSE_S) == pytest.approx(200_000 * OBJECTION, rel=0.01)
    assert reach.bitrate_bps(used_bps=150_000, now=62 + PAUSE_S) > 200_000


def test_an_estimate_that_does_not_follow_what_is_sent_is_an_objection() -> None:
    reach = Reach(200_000, now=0)
    assert reach.bitrate_bps(used_bps=500_000, now=STALL_S) > 400_000
    reach.hear(210_000, now=STALL_S)
    assert reach.bitrate_bps(used_bps=500_000, now=STALL_S * 2) > 400_000
    assert reach.bitrate_bps(used_bps=500_000, now=STALL_S * 2 + 0.1) == 210_000
