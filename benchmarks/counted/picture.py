"""Draws and reads counted pictures: the mark above, below it a texture that moves, both known at any size."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.counted.mark import BITS, COLUMNS, MARK_ROWS, ROWS, Mark, read_bits, write_bits

Plane = NDArray[np.uint8]
BLACK: Final = 32  # video range, with room for what coarse coding adds
WHITE: Final = 224
GREY: Final = (104, 152)
"""A block in between is not read: it may be a blend of two pictures."""
MIDDLE: Final = 128
WAVES: Final = 40
WAVES_PER_WIDTH_MAX: Final = 36.0  # 9 pixels a wave in a picture 320 wide: still there in the lowest layer
WAVE_TURNS_MAX: Final = 0.06  # a frame: each wave goes its own way, so no motion vector predicts them all
TEXTURE_DEVIATION: Final = 40.0


def size_of(height: int) -> tuple[int, int]:
    """Return (width, height) at 16:9, both even as 4:2:0 needs. ValueError below a pixel a cell."""
    if height < 2 * ROWS or height % 2:
        raise ValueError(f"height {height} is none for counted pictures: expected an even number from {2 * ROWS}")
    return round(height * 16 / 9 / 2) * 2, height


def draw(mark: Mark, height: int) -> tuple[Plane, Plane, Plane]:
    """Return the planes Y, U, V (4:2:0) of a counted picture."""
    width, height = size_of(height)
    luma = np.empty((height, width), np.uint8)
    marked = _first_row_below_mark(height)
    luma[:marked] = _draw_mark(mark, width, height)[:marked]
    luma[marked:] = _texture(mark.frame, width, height)[marked:]
    u, v = _hue(mark.participant)
    chroma = (height // 2, width // 2)
    return luma, np.full(chroma, u, np.uint8), np.full(chroma, v, np.uint8)


def read(luma: Plane) -> Mark | None:
    """Return what a picture of any size says, None if its mark is not there or not certain."""
    height, width = luma.shape
    if height < ROWS or width < COLUMNS:
        return None
    bits = 0
    for index in range(BITS):
        row, column = divmod(index, COLUMNS)
        top, bottom = _middle_half(row, height / ROWS)
        left, right = _middle_half(column, width / COLUMNS)
        level = float(luma[top:bottom, left:right].mean())
        if GREY[0] < level < GREY[1]:
            return None
        bits = bits << 1 | (level >= MIDDLE)
    return read_bits(bits)


def _middle_half(index: int, cell: float) -> tuple[int, int]:
    first = round((index + 0.25) * cell)
    return first, max(first + 1, round((index + 0.75) * cell))


def _first_row_below_mark(height: int) -> int:
    return round(height * MARK_ROWS / ROWS)


def _draw_mark(mark: Mark, width: int, height: int) -> Plane:
    bits = write_bits(mark)
    cells = np.array([bits >> BITS - 1 - index & 1 for index in range(BITS)], np.uint8).reshape(MARK_ROWS, COLUMNS)
    levels = np.where(cells, WHITE, BLACK).astype(np.uint8)
    levels = np.vstack([levels, levels[-1:]])  # the row of pixels that rounding may add
    rows = ((np.arange(_first_row_below_mark(height)) + 0.5) * ROWS / height).astype(int)
    columns = ((np.arange(width) + 0.5) * COLUMNS / width).astype(int)
    drawn: Plane = levels[rows[:, None], columns[None, :]]
    return drawn


def _texture(frame: int, width: int, height: int) -> Plane:
    """Return a sum of plane waves: sin(ax + by + ct) is of rank two, so that a matrix product draws them all."""
    across, along, turns, phase = _waves()
    x = np.exp(2j * np.pi * np.outer((np.arange(width) + 0.5) / width, across))
    y = np.exp(2j * np.pi * (np.outer((np.arange(height) + 0.5) / width, along) + turns * frame + phase))
    drawn = (y @ x.T).imag * (TEXTURE_DEVIATION / np.sqrt(WAVES / 2)) + MIDDLE
    texture: Plane = np.clip(drawn, 16, 235).astype(np.uint8)
    return texture


@lru_cache(maxsize=1)
def _waves() -> tuple[NDArray[np.float64], ...]:
    """Return waves per width across and along, turns a frame, and phases: the same at each call."""
    chance = np.random.default_rng(9)
    direction, length = chance.uniform(0, 2 * np.pi, WAVES), chance.uniform(2, WAVES_PER_WIDTH_MAX, WAVES)
    turns = chance.uniform(-WAVE_TURNS_MAX, WAVE_TURNS_MAX, WAVES)
    return length * np.cos(direction), length * np.sin(direction), turns, chance.uniform(0, 1, WAVES)


def _hue(participant: int) -> tuple[int, int]:
    """Return U and V: people far apart on the colour wheel, for who looks at the picture."""
    angle = participant * 2.399963  # the golden angle
    return round(MIDDLE + 50 * np.cos(angle)), round(MIDDLE + 50 * np.sin(angle))
