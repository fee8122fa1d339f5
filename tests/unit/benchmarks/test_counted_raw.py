"""The raw files for cameras and microphones, and the command that writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.counted import main
from benchmarks.counted.recording import read_recording
from benchmarks.counted.report import analyse


def test_the_command_writes_what_can_be_analysed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made"
    flags = ["--out", str(out), "--height", "90", "--fps", "10", "--seconds", "3", "--participant", "9"]
    assert main(flags) == 0
    pictures, sound = out / "p9-90p10-3s.y4m", out / "p9-90p10-3s.wav"
    assert f"--use-file-for-fake-video-capture={pictures}" in capsys.readouterr().out
    seen, heard = read_recording(pictures, likeness_every=7), read_recording(sound, participant=9)
    report = analyse(seen.frames, heard.heard)
    assert (report.participant, report.faults.seen, report.faults.lost, report.heard) == (9, 30, (), 3)
    assert report.frames_per_second == 10
    assert min(report.likenesses) == pytest.approx(1)
    assert [offset.offset_ms for offset in report.offsets] == pytest.approx([0, 0, 0], abs=0.1)


@pytest.mark.parametrize(
    ("flags", "code", "complaint"),
    [
        ([], 2, "--out"),
        (["--out", "x", "--height", "17"], 2, "expected 18 to 4320"),
        (["--out", "x", "--participant", "70000"], 2, "expected 0 to 65535"),
        (["--out", "pyproject.toml"], 1, "File exists"),
        (["--out", "build/counted", "--height", "181"], 1, "expected an even number"),
    ],
)
def test_bad_input_is_a_sentence_and_an_exit_code(
    flags: list[str], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(flags)
    except SystemExit as end:
        found = int(str(end.code))
    assert found == code
    assert complaint in capsys.readouterr().err
