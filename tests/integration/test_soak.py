"""`benchmarks soak` for some seconds, more if HALQA_TEST_SOAK_S says so: people come and go, and nothing is left."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks import soak
from tests.support.short_clips import short_clips

__all__ = ["short_clips"]

SECONDS = float(os.environ.get("HALQA_TEST_SOAK_S", "3"))


@pytest.mark.timeout(SECONDS + 150)
@pytest.mark.usefixtures("short_clips")
def test_people_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        soak, "SETTINGS", ("signaling.room.resume_window_s=1", "signaling.room.empty_timeout_s=0", "media.workers=1")
    )
    path = tmp_path / "soak.json"
    soak.main(f"--minutes {SECONDS / 60} --rooms 2 --viewers 3 --json {path}".split())
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert figures["ended_early"] is None
    assert figures["left"] == {}
    assert figures["happened"]["joins"] > 0
    assert figures["happened"]["failed_joins"] == 0
    assert "memory_bytes" in capsys.readouterr().out


def test_arguments_that_belong_together(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        soak.main(["--server", "http://127.0.0.1:9"])
    assert "go together" in capsys.readouterr().err
