"""The analyser finds exactly the faults that were put in: in numbers, and in real recordings."""

from __future__ import annotations

import json
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from benchmarks import analyse as command
from benchmarks.counted import listening
from benchmarks.counted.analysis import HeardSecond, SeenFrame, find_loop
from benchmarks.counted.likeness import ssim
from benchmarks.counted.mark import Mark
from benchmarks.counted.picture import draw
from benchmarks.counted.recording import UnreadableRecording, read_recording
from benchmarks.counted.report import analyse, format_report
from benchmarks.counted.sound import draw_sound
from tests.support.counted_file import Faults, random_faults, write_recording

CASES = int(os.environ.get("HALQA_TEST_ANALYSER_CASES", "4"))
"""50 to prove it: `HALQA_TEST_ANALYSER_CASES=50 pytest tests/unit/benchmarks/test_counted_analysis.py`."""
CONTAINERS = ("mkv", "mp4")
EXACT_MS = 2.0
RATE = 30


def frames(numbers: list[int | None], *, rate: int = RATE, late_s: float = 0.0) -> list[SeenFrame]:
    """Return frames at regular times; None is one whose mark could not be read."""
    return [
        SeenFrame(late_s + at / rate, None if number is None else Mark(5, number)) for at, number in enumerate(numbers)
    ]


@pytest.mark.parametrize("seed", range(CASES))
def test_injected_faults_are_found_exactly(seed: int, tmp_path: Path) -> None:
    faults = random_faults(seed)
    path = tmp_path / f"recording.{CONTAINERS[seed % len(CONTAINERS)]}"
    write_recording(path, faults)
    recording = read_recording(path, likeness_every=20)
    report = analyse(recording.frames, recording.heard)
    assert report.participant == faults.participant
    assert report.frames_per_second == faults.frames_per_second
    assert report.loop_frames is None
    found = report.faults
    assert set(found.lost) == faults.removed
    assert (found.duplicated, found.out_of_order) == (len(faults.doubled), len(faults.swapped))
    assert found.unreadable == 0
    assert len(report.offsets) >= 2
    for offset in report.offsets:
        assert offset.offset_ms == pytest.approx(faults.sound_late_ms, abs=EXACT_MS)
    assert min(report.likenesses) > 0.8


def test_a_whole_lesson_has_no_faults() -> None:
    report = analyse(frames(list(range(300))), [HeardSecond(float(second), second) for second in range(10)])
    assert (report.faults.lost, report.freezes) == ((), ())
    assert (report.faults.seen, report.faults.duplicated, report.faults.out_of_order) == (300, 0, 0)
    assert {offset.offset_ms for offset in report.offsets} == {0.0}
    assert report.frames_per_second == RATE


@pytest.mark.parametrize("rate", [1, 10, 15, 24, 25, 30, 50, 60])
@pytest.mark.parametrize("lost_every", [1000, 20, 3])
def test_the_frame_rate_is_found_beside_faults_and_coarse_clocks(rate: int, lost_every: int) -> None:
    numbers = [number for number in range(1, 200) if number % lost_every]
    seen = [SeenFrame(round(number / rate, 3), Mark(5, number)) for number in numbers]
    tolerance = 0.0 if lost_every > 3 else 0.05 * rate  # single steps of a clock that counts milliseconds
    assert analyse(seen).frames_per_second == pytest.approx(rate, abs=tolerance)


def test_circles_are_unwrapped_and_told_from_the_counters() -> None:
    numbers: list[int | None] = [number % 120 for number in range(60, 600) if number not in {119, 120, 241}]
    seen = frames(numbers)
    assert find_loop(seen, RATE) == 120
    assert analyse(seen).faults.lost == (119, 120, 241)


@pytest.mark.parametrize("late_ms", [-1900.0, -250.0, 0.0, 80.0, 1900.0])
@pytest.mark.parametrize("first", [0, 45, 119])
def test_offsets_in_circles_of_different_length(late_ms: float, first: int) -> None:
    numbers: list[int | None] = [(first + number) % 120 for number in range(900)]  # pictures repeat after 4 s
    began_s = first / RATE
    heard = [HeardSecond(second - began_s + late_ms / 1000, second % 12) for second in range(3, 30)]
    report = analyse(frames(numbers), heard)
    assert len(report.offsets) >= 20
    for offset in report.offsets:
        assert offset.offset_ms == pytest.approx(late_ms, abs=0.01)


def test_a_second_without_its_picture_is_placed_by_neighbours() -> None:
    seen = [frame for frame in frames(list(range(120))) if frame.mark is None or frame.mark.frame % 30 > 2]
    report = analyse(seen, [HeardSecond(second + 0.02, second) for second in range(4)])
    assert [round(offset.offset_ms, 6) for offset in report.offsets] == [20, 20, 20, 20]


def test_freezes_are_times_without_a_newer_picture() -> None:
    numbers: list[int | None] = [*range(30), *[29] * 15, None, *range(46, 76)]
    report = analyse(frames(numbers))
    (freeze,) = report.freezes
    assert [freeze.at_s, freeze.for_s] == pytest.approx([29 / RATE, 17 / RATE])
    assert report.faults.duplicated == 15
    assert report.faults.unreadable == 1
    assert analyse(frames(numbers), freeze_s=1.0).freezes == ()


def test_other_peoples_pictures_are_not_counted() -> None:
    mine = frames(list(range(60)))
    other = [SeenFrame(frame.at_s + 0.001, Mark(6, 1000)) for frame in mine[:20]]
    seen = sorted([*mine, *other], key=lambda frame: frame.at_s)
    assert analyse(seen).faults.seen == 60
    assert analyse(seen, participant=6).faults.duplicated == 19


def test_nothing_seen_is_nothing_found() -> None:
    report = analyse([])
    assert (report.participant, report.frames_per_second, report.faults.seen) == (None, None, 0)
    assert "0 seen" in format_report(report)
    assert analyse(frames([None, None])).faults.unreadable == 2
    assert analyse(frames([7])).faults.lost == ()


def test_ssim_is_one_for_equal_pictures_and_low_for_others() -> None:
    luma = draw(Mark(1, 1), 180)[0]
    assert ssim(luma, luma) == pytest.approx(1)
    assert ssim(luma, draw(Mark(1, 40), 180)[0]) < 0.7
    with pytest.raises(ValueError, match="expected the same size"):
        ssim(luma, luma[1:])


def test_the_command_reports_and_judges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, json_path = tmp_path / "lesson.mkv", tmp_path / "report.json"
    none: frozenset[int] = frozenset()
    write_recording(path, Faults(3, 15, 0, 45, frozenset({7, 8}), none, none, 60.0))
    assert command.main([str(path), "--json", str(json_path)]) == 0
    assert "lost                 2: 7, 8" in capsys.readouterr().out
    figures = json.loads(json_path.read_text())
    assert (figures["frames_lost"], figures["participant"], figures["lost"]) == (2, 3, [7, 8])
    assert figures["sound_after_picture_ms"]["median"] == pytest.approx(60, abs=EXACT_MS)
    assert command.main([str(path), "--max-lost", "1", "--max-offset-ms", "40"]) == command.BEYOND
    complaints = capsys.readouterr().err
    assert "lost 2 > 1" in complaints
    assert "offset in ms 60" in complaints


def test_a_tile_of_a_composite_is_read_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "composite.y4m"
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H180 F10:1 Ip A1:1 C420jpeg\n")
        for number in range(20):
            tiles = [draw(Mark(1, number), 180), draw(Mark(2, number + 500 + (number > 9)), 180)]
            file.write(b"FRAME\n" + b"".join(np.hstack(planes).tobytes() for planes in zip(*tiles, strict=True)))
    assert command.main([str(path), "--region", "320,0,320,180"]) == 0
    told = capsys.readouterr().out
    assert "participant          2, 10 frames/s" in told
    assert "lost                 1: 510" in told
    assert command.main([str(path)]) == 1
    assert "no counted picture or sound in 20 pictures" in capsys.readouterr().err


def test_what_is_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no recording")
    assert command.main([str(text)]) == 1
    assert "is no recording that FFmpeg can read" in capsys.readouterr().err
    assert command.main([str(tmp_path / "nothing.webm")]) == 1
    assert "No such file" in capsys.readouterr().err
    with pytest.raises(UnreadableRecording):
        read_recording(text)


@pytest.mark.parametrize("early_ms", [0, 5, 20, 500])
def test_long_sound_is_searched_in_pieces_without_seams(
    early_ms: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "WINDOW_S", 5.0)
    path = tmp_path / "sound.wav"
    sound = draw_sound(2, 22)[early_ms * 48 :]
    with path.open("wb") as file, wave.open(file, "wb") as written:
        written.setparams((1, 2, 48_000, len(sound), "NONE", ""))
        written.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
    heard = read_recording(path, participant=2).heard
    assert [second.second for second in heard] == [second % 12 for second in range(bool(early_ms), 22)]
    expected = [second - early_ms / 1000 for second in range(bool(early_ms), 22)]
    assert [second.at_s for second in heard] == pytest.approx(expected, abs=0.001)


def test_a_recording_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "lesson.mkv"
    none: frozenset[int] = frozenset()
    write_recording(path, Faults(3, 15, 0, 45, none, none, none, 0.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    recording = read_recording(path)
    report = analyse(recording.frames, recording.heard)
    assert 10 < report.faults.seen < 45
    assert report.faults.lost == ()
