"""The text of a relay's schedule, and what is no schedule."""

from __future__ import annotations

import pytest

from benchmarks.relay.profile import HOLD_S, Burst, Profile, Target
from benchmarks.relay.schedule import BadSchedule, Step, parse_schedule


def test_the_example_of_the_manual() -> None:
    schedule = parse_schedule("20s loss=10%; 40s rate=300kbit")
    assert schedule.steps == (
        Step(0.0, Profile()),
        Step(20.0, Profile(loss=0.1)),
        Step(40.0, Profile(loss=0.1, rate_bps=300_000)),
    )


def test_every_word() -> None:
    text = (
        "loss=1% gemodel=1%/20%/90%/2% delay=40ms jitter=0.5s unordered reorder=2% rate=1.5Mbit queue=200ms "
        "duplicate=1% corrupt=3% mtu=1200 only=rtp; 1min blackout; 2min light; 3min clear"
    )
    *_, rich, dark, light, clear = parse_schedule(text).steps
    assert rich.profile == Profile(
        loss=0.01,
        burst=Burst(0.01, 0.2, 0.9, 0.02),
        delay_s=0.04,
        jitter_s=0.5,
        unordered=True,
        reorder=0.02,
        hold_s=HOLD_S,
        rate_bps=1_500_000,
        queue_s=0.2,
        duplicate=0.01,
        corrupt=0.03,
        mtu_bytes=1200,
        only=Target.RTP,
    )
    assert dark.at_s == 60
    assert dark.profile.blackout
    assert light.at_s == 120
    assert light.profile == rich.profile
    assert clear == Step(180, Profile())


def test_blackout_ends_by_itself_and_steps_may_come_in_any_order() -> None:
    schedule = parse_schedule("30s loss=1%; 10s blackout=5s; 20s rebind; 25s rebind")
    assert [(step.at_s, step.profile.blackout, step.profile.loss) for step in schedule.steps] == [
        (0, False, 0),
        (10, True, 0),
        (15, False, 0),
        (30, False, 0.01),
    ]
    assert schedule.rebinds_s == (20, 25)


@pytest.mark.parametrize("text", ["", " ", ";", "0s", "; ;"])
def test_nothing_is_a_perfect_link(text: str) -> None:
    assert parse_schedule(text).steps == (Step(0.0, Profile()),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("los=5%", "'los' is not known: expected one of"),
        ("loss", "`loss` lacks its value"),
        ("loss=5", "'5' is no share"),
        ("loss=101%", "'101%' is no share"),
        ("loss=nan%", "'nan%' is no share"),
        ("burst=5", "needs a `loss=`"),
        ("loss=5% burst=0", "'0' is no length of bursts"),
        ("loss=5% burst=nan", "'nan' is no length of bursts"),
        ("gemodel=1%", "has 1 parts"),
        ("delay=40", "'40' is no time"),
        ("delay=11s", "11s is too long"),
        ("20 loss=5%", "'20' is no time"),
        ("rate=300", "'300' is no rate"),
        ("rate=0kbit", "'0kbit' is no rate"),
        ("mtu=0", "'0' is no MTU"),
        ("only=video", "only='video': expected one of all, media, rtp"),
        ("unordered=1", "unordered takes no value"),
        ("rebind=5s", "rebind takes no value"),
        ("blackout=x", "'x' is no time"),
        ("²s loss=1%", "is no time"),
        (";" * 1000, "1001 steps"),
    ],
)
def test_what_is_no_schedule(text: str, complaint: str) -> None:
    with pytest.raises(BadSchedule, match=complaint.replace("(", r"\(")):
        parse_schedule(text)
