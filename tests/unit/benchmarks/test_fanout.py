"""The fan-out benchmark's arithmetic, options and packets; one small run of it as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fanout
from benchmarks.fanout import packets
from benchmarks.fanout.cost import Pass, median_ratio
from benchmarks.fanout.memory import Footprint
from benchmarks.fanout.report import Row, Setup, build_row, format_table, percentile
from benchmarks.machine import Disturbance, busy_ticks, machine_facts, processor_name, stolen_ticks
from media.native import payload, rtp


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.0, 1), (0.5, 50), (0.501, 51), (0.99, 99), (0.999, 100), (1.0, 100)]
)
def test_percentile_is_the_nearest_rank(fraction: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), fraction) == expected


def test_percentile_of_little() -> None:
    assert percentile([], 0.5) == 0
    assert percentile([7.0], 0.001) == 7


def test_ratio_is_that_of_pairs() -> None:
    """A machine that slows down for one pair changes neither half alone."""
    assert median_ratio([Pass(3.0, 2.5), Pass(6.0, 5.0), Pass(3.0, 2.0)]) == pytest.approx(1.2)


def test_row_and_table() -> None:
    row = build_row(
        Setup(200, "gcm", gso=True),
        [Pass(3.0, 2.5), Pass(3.2, 2.6), Pass(3.1, 2.4)],
        results={
            "latencies_ns": [1_000_000] * 99 + [9_000_000],
            "sent": 51,
            "viewers": 2,
            "late_ns_max": 0,
        },
        packets_per_second=800.04,
        footprint=Footprint(49_152, 29_912),
        disturbance_cores=0.204,
        machine={"processor": "any"},
    )
    assert (row["us_per_packet"], row["floor_us"], row["us_per_packet_min"]) == (3.1, 2.5, 3.0)
    assert (row["latency_p50_ms"], row["latency_p99_ms"], row["latency_p999_ms"]) == (1.0, 1.0, 9.0)
    assert (row["latency_samples"], row["latency_lost"]) == (100, 2)
    assert row["bytes_per_viewer"] == 49_152
    table = format_table([row]).splitlines()
    heads = "subscribers profile gso us/packet floor us ratio p50 ms p99 ms p99.9 ms KiB/viewer others"
    assert " ".join(table[0].split()) == heads
    assert table[1].split()[-2:] == ["48.0", "0.20"]
    assert "not calm" in table[-1]
    calm: Row = {**row, "disturbance_cores": 0.05}
    assert "not calm" not in format_table([calm])
    assert len({len(line) for line in table[:2]}) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--subscribers", "0"],
        ["--subscribers", "5,x"],
        ["--subscribers", "999999"],
        ["--profile", "rot13"],
        ["--passes", "0"],
    ],
)
def test_what_cannot_be_measured(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fanout.parse_arguments(arguments)
    assert "error: argument" in capsys.readouterr().err


def test_options() -> None:
    options = fanout.parse_arguments(["--subscribers", "1,2", "--profile", "cm", "--json", "x.json"])
    assert (options.subscribers, options.profile, options.json) == ([1, 2], ["cm"], Path("x.json"))


def test_packets_are_those_of_a_camera() -> None:
    body = packets.vp8_payload(0x7FFF, key_frame=True, size=1180)
    facts = payload.inspect(payload.CODEC_VP8, body)
    assert (facts.key_frame, facts.picture_id, facts.width, facts.height) == (True, 0x7FFF, 320, 180)
    header = rtp.parse_header(packets.video_packet(65536 + 5, 9, b"10", body))
    assert (header.sequence_number, header.payload_length, header.ssrc) == (5, 1180, 9)
    assert dict(header.extensions) == {1: b"10", 2: b"\x00\x05", 3: b"\x00"}


def test_processor_is_named() -> None:
    assert processor_name("processor\t: 0\nmodel name\t: Any CPU @ 1 GHz\n") == "Any CPU @ 1 GHz"
    assert processor_name("") == "unknown"
    assert machine_facts()["cores"]


def test_idle_and_guest_time_is_not_busy() -> None:
    assert busy_ticks("cpu  1 2 4 1000 1000 8 16 32 1000 1000\ncpu0 5 5 5 5") == 63
    assert stolen_ticks("cpu  1 2 4 1000 1000 8 16 32 1000 1000\ncpu0 5 5 5 5") == 32
    assert Disturbance().cores() >= 0
    assert Disturbance().stolen_cores() >= 0


def test_recorded_frames_are_ten_seconds_of_video() -> None:
    frames = packets.recorded_frames()
    assert len(frames) == 300
    assert 1_400_000 < sum(frames) * 8 / 10 < 1_600_000


@pytest.mark.parametrize(("size", "expected"), [(1, [1]), (1200, [1200]), (1201, [600, 601]), (2500, [833, 833, 834])])
def test_a_frame_is_split_about_equally(size: int, expected: list[int]) -> None:
    assert packets.split_frame(size, 1200) == expected
