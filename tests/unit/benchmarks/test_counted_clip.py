"""Counted clips: encoded once, kept on disk, key frames on demand, every counter readable after the coarsest coding."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.counted.clip import Clip, Codec, load_clip, load_sound
from benchmarks.counted.decode import PictureDecoder
from benchmarks.counted.mark import FRAME_MAX, PARTICIPANT_MAX, Mark, read_bits, write_bits
from benchmarks.counted.needs import Missing
from benchmarks.counted.picture import draw, read, size_of
from benchmarks.counted.sound import Chirp, draw_sound, find_chirps

LOWEST = {"height": 180, "frames_per_second": 15, "bitrate_bps": 100_000, "seconds": 2}


@pytest.mark.parametrize("participant", [0, 1, 255, PARTICIPANT_MAX])
@pytest.mark.parametrize("frame", [0, 1, 127, 32767, 32768, 65535, 65536, FRAME_MAX])
def test_marks_there_and_back(participant: int, frame: int) -> None:
    mark = Mark(participant, frame)
    bits = write_bits(mark)
    assert read_bits(bits) == mark
    assert all(read_bits(bits ^ 1 << bit) is None for bit in range(64))


def test_marks_that_do_not_fit() -> None:
    for mark in (Mark(-1, 0), Mark(0, -1), Mark(PARTICIPANT_MAX + 1, 0), Mark(0, FRAME_MAX + 1)):
        with pytest.raises(ValueError, match="does not fit"):
            write_bits(mark)


@pytest.mark.parametrize("height", [90, 180, 240, 360, 540, 720])
def test_pictures_of_any_size_are_read(height: int) -> None:
    mark = Mark(7, 12345)
    luma, u, v = draw(mark, height)
    width, _ = size_of(height)
    assert luma.shape == (height, width)
    assert u.shape == v.shape == (height // 2, width // 2)
    assert read(luma) == mark
    assert read(np.full_like(luma, 128)) is None
    half = (luma.astype(int) + draw(Mark(7, 12346), height)[0]) // 2
    assert read(half.astype(np.uint8)) is None, "a blend of two pictures is neither"


def test_pictures_that_cannot_be() -> None:
    for height in (0, 16, 181):
        with pytest.raises(ValueError, match="expected an even number from 18"):
            size_of(height)


@pytest.mark.parametrize("first", range(12))
def test_sound_tells_its_second(first: int) -> None:
    sound = draw_sound(first, 3, first_second=first)
    found = find_chirps(sound, first)
    assert found == [Chirp(float(second), (first + second) % 12) for second in range(3)]
    others = np.sum([draw_sound(first + other, 3, first_second=first) for other in range(1, 6)], axis=0)
    assert find_chirps(others, first) == [], "others have other bands"
    in_mix = find_chirps(sound + others, first)
    assert [chirp.second for chirp in in_mix] == [chirp.second for chirp in found]
    assert [chirp.at_s for chirp in in_mix] == pytest.approx([0, 1, 2], abs=0.001)
    noise = np.random.default_rng(first).normal(0, 0.1, 3 * 48_000).astype(np.float32)
    assert find_chirps(noise, first) == []


def read_all(clip: Clip, frames: int, ask_at: int) -> list[Mark | None]:
    decoder = PictureDecoder(clip.codec)
    playback = clip.play(1)
    found: list[Mark | None] = []
    for count in range(frames):
        if count == ask_at:
            playback.request_key_frame()
        found += [read(luma) for luma in decoder.decode(playback.next().data)]
    return found


@pytest.mark.parametrize("codec", [Codec.VP8, Codec.H264])
def test_every_counter_of_the_lowest_layer_survives(codec: Codec, tmp_path: Path) -> None:
    clip = load_clip(codec, **LOWEST, participant=3, folder=tmp_path)
    assert load_clip(codec, **LOWEST, participant=3, folder=tmp_path) == clip, "the second time from disk"
    assert clip.bitrate_bps == pytest.approx(100_000, rel=0.35)
    first = clip.key_at[1]
    expected = [Mark(3, (first + number) % len(clip)) for number in range(70)]
    assert read_all(clip, 70, ask_at=20) == expected


def test_key_frames_come_when_asked_for(tmp_path: Path) -> None:
    clip = load_clip(Codec.H264, **LOWEST, folder=tmp_path)
    playback = clip.play()
    keys: list[int] = []
    for count in range(60):
        if count in {4, 5, 40}:
            playback.request_key_frame()
        if playback.next().is_key:
            keys.append(count)
    wait = round(clip.key_frame_wait_s / clip.frame_s) + 1
    assert keys[0] == 0
    assert 4 <= keys[1] <= 4 + wait
    assert 40 <= keys[-1] <= 40 + wait
    assert playback.key_frames == len(keys)


def test_sound_is_heard_at_whole_seconds_after_decoding(tmp_path: Path) -> None:
    playback = load_sound(participant=2, folder=tmp_path).play()
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    packets = [av.Packet(playback.next().data) for _ in range(50 * 15)]
    sound = np.concatenate(
        [frame.to_ndarray()[0] for packet in packets for frame in decoder.decode(packet)], dtype=np.float32
    )
    found = find_chirps(sound, 2)
    assert [chirp.second for chirp in found] == [*range(12), 0, 1, 2]
    assert [chirp.at_s for chirp in found] == pytest.approx(list(range(15)), abs=0.001)


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    clip = load_clip(Codec.VP8, **LOWEST, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert len(load_clip(Codec.VP8, **LOWEST, folder=tmp_path)) == len(clip)


def test_a_clip_on_disk_needs_neither_av_nor_numpy(tmp_path: Path) -> None:
    load_clip(Codec.H264, **LOWEST, folder=tmp_path)
    program = (
        "import sys; from pathlib import Path; from benchmarks.counted.clip import Codec, load_clip; "
        f"load_clip(Codec.H264, **{LOWEST!r}, folder=Path({str(tmp_path)!r})); "
        "sys.exit(bool({'av', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_pyav_a_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Missing, match=r"av and numpy not installed: `make setup`"):
        load_clip(Codec.H264, **LOWEST, folder=tmp_path)
