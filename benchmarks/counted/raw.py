"""Writes counted media as raw files, for programs that read a camera or a microphone from one (Chromium, FFmpeg)."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from benchmarks.counted.mark import Mark
from benchmarks.counted.picture import draw, size_of
from benchmarks.counted.sound import SAMPLE_RATE_HZ, draw_sound


def write_pictures(path: Path, *, height: int, frames_per_second: int, seconds: float, participant: int) -> None:
    """Write YUV4MPEG2, 4:2:0: 1.4 MB a frame at 720p. OSError; ValueError for a height that cannot be."""
    width, height = size_of(height)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{frames_per_second}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(round(seconds * frames_per_second)):
            file.write(b"FRAME\n")
            for plane in draw(Mark(participant, number), height):
                file.write(plane.tobytes())


def write_sound(path: Path, *, seconds: float, participant: int) -> None:
    """Write WAV: 48 kHz, mono, 16 bits. OSError."""
    samples = np.round(draw_sound(participant, seconds) * 32767).astype("<i2")
    with path.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE_HZ)
        sound.writeframes(samples.tobytes())
