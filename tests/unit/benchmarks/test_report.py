"""The report: every kind of file becomes a section, what is broken is named, pages are whole and escape all."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import report
from benchmarks.api.drive import Outcome
from benchmarks.api.figures import Tally
from benchmarks.api.report import Setup, build_document
from benchmarks.api.self_watch import GeneratorFigures
from benchmarks.api.stages import parse_stages
from benchmarks.api.thresholds import judge, parse_threshold
from benchmarks.api.timeline import Level, Point
from benchmarks.fanout.cost import Pass
from benchmarks.fanout.memory import Footprint
from benchmarks.fanout.report import Setup as FanoutSetup
from benchmarks.fanout.report import build_row
from benchmarks.relay.direction import Change, Entry
from benchmarks.relay.impairment import Fate, Verdict
from benchmarks.relay.log import LogWriter
from benchmarks.relay.packet import Kind
from benchmarks.report.page import Axis, Page, Place, Plot, Scale, Series, Source
from benchmarks.report.read import collect, find_files
from benchmarks.report.scales import Ruler, label_of, ruler
from benchmarks.report.svg import draw

MACHINE: dict[str, str | int] = {
    "processor": "Calculator 9000",
    "cores": 2,
    "kernel": "6.1.0",
    "python": "3.11.2",
    "commit": "abc1234",
}
JOINS: dict[str, Any] = {
    "rush": {
        "clients": 300,
        "joined": 299,
        "join_p50_ms": 20.0,
        "join_p95_ms": 41.0,
        "join_p99_ms": 63.0,
        "loop_lag_p99_ms": 4.0,
        "server_cpu_s": 0.6,
    },
    "disturbance_cores": 0.02,
    "machine": MACHINE,
}
LOAD: dict[str, Any] = {
    "viewers": 500,
    "joined": 500,
    "join_p95_s": 0.4,
    "duration_s": 30.0,
    "packets_out_per_s": 95_000.0,
    "loss_in_server": 0.0,
    "latency_p99_ms": 7.5,
    "server_cpu_s": 21.0,
    "generator_cpu_s": 12.0,
    "packets_per_cpu_s": 135_714,
    "server_rss_bytes": 120_000_000,
    "disturbance_cores": 1.3,
    "commit": "def5678",
    "machine": MACHINE,
}
ANALYSIS: dict[str, Any] = {
    "participant": 3,
    "seconds": 60.0,
    "frames_seen": 1790,
    "frames_distinct": 1788,
    "frames_lost": 12,
    "frames_duplicated": 2,
    "frames_out_of_order": 0,
    "frozen_s": 1.5,
    "freezes": [{"at_s": 10.0, "for_s": 1.5}],
    "offsets": [{"at_s": 1.0, "second": 1, "ms": 4.5}, {"at_s": 2.0, "second": 2, "ms": 5.5}],
    "sound_after_picture_ms": {"min": 4.5, "median": 5.0, "max": 5.5},
    "ssim": None,
}
SOAK: dict[str, Any] = {
    "seconds": 600.0,
    "left": {"descriptors": 3},
    "passed": False,
    "machine": MACHINE,
    "commit": "abc1234",
    "slopes": [{"name": "descriptors", "mean": 91.0, "an_hour": 60.0, "surely_grown": 9.0, "passed": False}],
}


def fanout() -> list[Any]:
    return [
        build_row(
            FanoutSetup(viewers, "gcm", gso=True),
            [Pass(3.0, 2.5)],
            results={"latencies_ns": [1_000_000], "sent": 1, "viewers": 1, "late_ns_max": 0},
            packets_per_second=800.0,
            footprint=Footprint(49_152, 29_912),
            disturbance_cores=0.02,
            machine=MACHINE,
        )
        for viewers in (50, 200)
    ]


def api() -> dict[str, Any]:
    tally = Tally()
    for number in range(200):
        tally.step("reads.rooms").response.add(0.001 * (number + 1))
        tally.step("reads.rooms").service.add(0.001)
    tally.step("reads.rooms").fail("status 503")
    tally.close(10)
    points = [Point(float(at), 5, 20.0, 0, 2.0, 3.0, 4.0, 0.5, 0.1, 0.2) for at in range(3)]
    levels = [Level(5, 10.0, 20.0, 0.005, 2.0, 3.0, 4.0)]
    outcome = Outcome(
        tally, GeneratorFigures(0.1, 0.5, 3.0, 1.0, 0.1), 10.0, 5, 190, 1, 0, points, levels, 2.0, 90_000_000
    )
    verdicts = judge([parse_threshold("reads.p95<=50ms"), parse_threshold("all.errors<=1%")], tally.by_name())
    return build_document(Setup("control", None, parse_stages("10:5"), 1), outcome, verdicts, 0.01)


def write_log(path: Path) -> None:
    with LogWriter(path, seed=7, up="clear", down="loss=10%") as log:
        for number in range(100):
            lost = number % 10 == 0
            verdict = Verdict(Fate.LOST, ()) if lost else Verdict(Fate.PASSED, (number / 10 + 0.04,))
            log(Entry(number / 10, "down", number, 1000, Kind.RTP, "0", None, None, verdict))
        log(Change(10.0, "down", "clear"))


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    folder = tmp_path / "measured"
    folder.mkdir()
    documents = {"joins": JOINS, "load": LOAD, "analysis": ANALYSIS, "soak": SOAK, "fanout": fanout(), "api": api()}
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    write_log(folder / "relay.jsonl")
    return folder


class Outline(HTMLParser):
    """What must be balanced, and what must not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(text: str) -> Outline:
    read = Outline()
    read.feed(text)
    assert not read.open
    return read


def test_every_kind_has_its_place(measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html, text = tmp_path / "out.html", tmp_path / "out.md"
    assert report.main([str(measured), "--html", str(html), "--markdown", str(text), "--title", "Monday"]) == 0
    assert capsys.readouterr().err == ""
    page = html.read_text(encoding="utf-8")
    tags = outline(page).seen
    for title in ("Monday", "A class of real peers", "Fan-out of one packet", "Joins without media"):
        assert title in page
    for title in ("HTTP and WebSockets", "The link", "What arrived", "Soak"):
        assert title in page
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img", "iframe"}]
    assert not [facts for _, facts in tags if "src" in facts or str(facts.get("href", "#"))[0] != "#"]
    ids = [facts["id"] for _, facts in tags if "id" in facts]
    assert len(ids) == len(set(ids))
    for figure in ("95,000", "0.70", "135,714", "0.67%", "10.00%", "MISSED", "held", "FAILED", "GROWS", "63"):
        assert figure in page, figure
    markdown = text.read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((out-plots/[^)]+)\)", markdown)
    assert len(pictures) == page.count("<svg ") > 8
    for picture in pictures:
        ET.parse(tmp_path / picture)


def test_figures_keep_where_they_are_from(measured: Path) -> None:
    collected = collect([measured])
    by_name = {source.name: source for source in collected.sources}
    place = Place("Calculator 9000", 2, "6.1.0", "3.11.2", "abc1234")
    assert by_name["joins"].place == by_name["fanout"].place == place
    assert by_name["load"].place.commit == "def5678"
    assert by_name["relay"].place == Place()
    assert [name for name, source in by_name.items() if source.disturbed] == ["load"]


def test_a_disturbed_computer_is_told(measured: Path, tmp_path: Path) -> None:
    html, text = tmp_path / "out.html", tmp_path / "out.md"
    report.main([str(measured), "--html", str(html), "--markdown", str(text)])
    assert "<strong>load</strong> (1.3 cores)" in html.read_text(encoding="utf-8")
    assert re.search(r"\| load \| [A-Z], disturbed \| 500 \|", text.read_text(encoding="utf-8"))
    assert re.search(r"\| joins \| [A-Z] \| 300 \|", text.read_text(encoding="utf-8"))


def test_what_is_broken_is_named_and_the_rest_is_there(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {
        "cut.json": '{"viewers": 5, ',
        "empty.json": "",
        "shape.json": json.dumps({**LOAD, "join_p95_s": "fast"}),
        "missing.json": json.dumps({"rush": {"clients": 3}}),
        "stranger.json": '{"name": "package"}',
        "number.json": "7",
        "bytes.json": "\x00",
        "log.jsonl": '{"is":"relay","format":1,"seed":1,"up":"","down":""}\n{"is":"packet"}\n',
        "later.jsonl": '{"is":"relay","format":2,"seed":1,"up":"","down":""}\n',
    }
    for name, content in broken.items():
        (measured / name).write_text(content, encoding="utf-8")
    html = tmp_path / "out.html"
    assert report.main([str(measured), "--html", str(html)]) == 0
    told = capsys.readouterr().err
    page = html.read_text(encoding="utf-8")
    for name in broken:
        assert re.search(rf"skipped .*{name}: \S", told), name
        assert name in page
    assert "Expected `float`, got `str` - at `$.join_p95_s`" in told
    assert "95,000" in page


KEYS = st.sampled_from(["rush", "slopes", "frames_seen", "benchmark", "packets_out_per_s", "us_per_packet", "is", "x"])
SCALARS = st.none() | st.booleans() | st.integers() | st.sampled_from(["api", "relay", ""])
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


@given(DOCUMENTS)
def test_no_document_breaks_it(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    collected = collect([path])
    assert len(collected.sources) + len(collected.skipped) == 1


def test_nothing_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html = tmp_path / "out.html"
    assert report.main([str(tmp_path), "--html", str(html)]) == report.EXIT_NOTHING
    assert "nothing written" in capsys.readouterr().err
    assert report.main([str(tmp_path / "gone"), "--html", str(html)]) == report.EXIT_NOTHING
    assert "gone does not exist" in capsys.readouterr().err
    assert not html.exists()


def test_a_page_that_cannot_be_written(measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main([str(measured), "--html", str(tmp_path / "no" / "out.html")]) == report.EXIT_NOTHING
    assert "No such file or directory" in capsys.readouterr().err


def test_texts_of_files_stay_texts(tmp_path: Path) -> None:
    evil = '<script>alert("1")</script>|*'
    document = {**LOAD, "commit": evil, "ended_early": evil, "limit": evil}
    (tmp_path / "<b>&|.json").write_text(json.dumps(document), encoding="utf-8")
    html, text = tmp_path / "out.html", tmp_path / "out.md"
    assert report.main([str(tmp_path), "--html", str(html), "--markdown", str(text), "--title", "<i>"]) == 0
    assert not {"script", "b", "i"} & {tag for tag, _ in outline(html.read_text(encoding="utf-8")).seen}
    assert not re.search(r"(?<!\\)<", text.read_text(encoding="utf-8"))
    for picture in (tmp_path / "out-plots").iterdir():
        ET.parse(picture)


def test_files_of_folders_in_their_numbers_order(tmp_path: Path) -> None:
    for name in ("load-100.json", "load-50.json", "load-9.json", "notes.txt"):
        (tmp_path / name).touch()
    found = [path.name for path in find_files([tmp_path, tmp_path / "load-9.json"])]
    assert found == ["load-9.json", "load-50.json", "load-100.json"]


def test_names_are_unique(measured: Path) -> None:
    for folder in ("a", "b"):
        (measured / folder).mkdir()
        (measured / folder / "load.json").write_text(json.dumps(LOAD), encoding="utf-8")
    names = [source.name for source in collect([measured]).sources if "load" in source.name]
    assert sorted(names) == ["b/load", "load", "measured/load"]


def test_places_have_letters() -> None:
    places = [Place(commit=str(number)) for number in range(28)]
    sources = tuple(Source(str(place), Path(), place) for place in [*places, Place(), *places])
    letters = Page("", "", (), sources).places
    assert [letters[place] for place in (places[0], places[25], places[26], places[27], Place())] == [
        *("A", "Z", "A1", "B1"),
        "–",
    ]


NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


@given(st.sampled_from([Scale.LINEAR, Scale.LOG]), st.lists(NUMBERS, max_size=20))
def test_rulers_hold_their_values(scale: Scale, values: list[float]) -> None:
    values = [value for value in values if value == 0 or abs(value) > 1e-9]
    stretch = ruler(scale, values)
    for value in values:
        if scale is Scale.LINEAR or value > 0:
            assert -1e-6 <= stretch.place(value) <= 1 + 1e-6
    ticks = stretch.ticks()
    assert 1 <= len(ticks) <= 40
    assert all(-1e-6 <= stretch.place(value) <= 1 + 1e-6 for value, _ in ticks)


def test_ticks_are_round() -> None:
    assert [label for _, label in ruler(Scale.LINEAR, [3.0, 47.0]).ticks()] == ["0", "10", "20", "30", "40", "50"]
    assert [label for _, label in ruler(Scale.LOG, [3.0, 470.0]).ticks()] == [
        *("2", "5", "10", "20", "50", "100", "200", "500"),
    ]
    assert [label for _, label in ruler(Scale.NINES, [0.5, 0.999]).ticks()] == ["0 %", "50 %", "90 %", "99 %", "99.9 %"]
    assert Ruler(Scale.NINES, 0.0, 0.99).place(0.9) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "0"),
        (0.1 + 0.2, "0.3"),
        (9999, "9999"),
        (20_000, "20 k"),
        (2_500_000, "2.5 M"),
        (3e9, "3 G"),
        (-2e6, "-2 M"),
    ],
)
def test_labels_are_short(value: float, label: str) -> None:
    assert label_of(value) == label


def test_a_plot_says_in_words_what_it_shows() -> None:
    series = (Series("calm", ((0, 1), (1, 2))), Series("noisy", ((0, 0), (1, 5)), disturbed=True), Series("empty", ()))
    drawn = draw(Plot("Latency", "How late.", Axis("s"), Axis("ms", Scale.LOG), series), "p1", alone=True)
    root = ET.fromstring(drawn)
    names = {element.tag.rpartition("}")[2]: element.text for element in root}
    assert (names["title"], names["desc"]) == ("Latency", "How late.")
    assert root.attrib["role"] == "img"
    assert "noisy (disturbed)" in drawn
    assert "empty" not in drawn
    assert "prefers-color-scheme: dark" in drawn
