"""The scenarios of `benchmarks neighbours`, small: each brings all of its figures, and nobody is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.counted.clip import Codec
from benchmarks.load.clips import prepare
from benchmarks.load.ground import open_ground
from benchmarks.load.options import Address, Options
from benchmarks.neighbours import bad_viewer, cameras, floods, storm
from benchmarks.neighbours.stretch import (
    Stretch,
    largest_change_percent,
    sent_change_percent,
    viewers_change_percent,
    viewers_part_change_percent,
)
from benchmarks.neighbours.verdict import Row, format_table, medians
from tests.support.short_clips import short_clips

__all__ = ["short_clips"]


@pytest.mark.timeout(180)  # a server and four classes, on a computer that encodes pictures for other tests meanwhile
@pytest.mark.usefixtures("short_clips")
async def test_all_scenarios_bring_figures() -> None:
    prepare(Codec.VP8, Codec.H264)
    async with open_ground(Options(address=Address(settings=("media.workers=1",)))) as ground:
        rush = await storm.play(ground, storm.Size(viewers=4, seconds=0.4, settle_s=0.2))
        one = await bad_viewer.play(ground, bad_viewer.Size(viewers=3, settle_s=0.3, seconds=0.5, end_s=0.2))
        noise = await floods.play(ground, floods.Size(viewers=2, settle_s=0.2, seconds=0.3, end_s=0.2, per_s=200.0))
        small = cameras.Size(people=3, watched=1, seen=2, settle_s=0.5, seconds=2, join_every_s=0.0)
        everybody = await cameras.play(ground, small)
    assert {row.name: row.value for row in rush}["did not join, or saw nothing"] == 0
    assert len(one) == 6
    sent = {row.name: row.value for row in noise if row.name.endswith("sent a second")}
    assert len(sent) == len(floods.FLOODS)
    assert all(value > 0 for value in sent.values())
    assert {row.name: row.value for row in everybody}["viewers that saw nothing"] == 0
    used = [row.value for row in everybody if row.name.endswith("median used")]
    assert len(used) == 3
    assert all(value > 0 for value in used)


def test_what_all_got_more_because_more_was_sent_is_told_apart() -> None:
    quiet = Stretch(12.0, [1000.0, 2000.0], 5000.0, 4000.0, 0.0, 1.0, 0.1, 0)
    keyed = replace(quiet, got_bps=[1030.0, 2060.0], sent_bps=6000.0, largest_bps=4120.0)
    assert viewers_change_percent(quiet, keyed) == pytest.approx([3.0, 3.0])
    assert viewers_part_change_percent(quiet, keyed) == pytest.approx([0.0, 0.0])
    assert largest_change_percent(quiet, keyed) == pytest.approx(3.0)
    assert sent_change_percent(quiet, keyed) == pytest.approx(20.0)
    robbed = replace(keyed, got_bps=[1030.0, 1030.0])
    assert viewers_part_change_percent(quiet, robbed) == pytest.approx([0.0, 50.0])


def test_several_runs_become_their_median() -> None:
    runs = [([Row(name="a", value=value, unit="s", most=2.0)], 0.5) for value in (1.0, 9.0, 1.5)]
    scenario = medians("rush", runs)
    assert scenario.rows[0].value == 1.5
    assert scenario.rows[0].is_reached
    table = format_table([scenario], 0.1)
    assert "<= 2 s" in table
    assert "others used 0.5 cores" in table
