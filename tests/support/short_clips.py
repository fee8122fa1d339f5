"""Cameras of benchmarks with clips of one second: encoding the usual ones, if there are none, takes half a minute."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np  # noqa: F401  # its threads are there before a test begins, and not left by it
import pytest

from benchmarks.counted.clip import load_clip
from benchmarks.load import clips

SECONDS = 1


@pytest.fixture
def short_clips(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every camera go round in SECONDS, with key frames as often as ever."""
    clips.video_frames.cache_clear()
    monkeypatch.setattr(clips, "load_clip", functools.partial(load_clip, seconds=SECONDS))
    yield
    clips.video_frames.cache_clear()
