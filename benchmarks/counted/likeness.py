"""How like its source a picture is: SSIM of the brightness (Wang et al. 2004) over square windows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.counted.mark import Mark
from benchmarks.counted.picture import Plane, draw, size_of

WINDOW: Final = 7
_C1: Final = (0.01 * 255) ** 2
_C2: Final = (0.03 * 255) ** 2


def likeness_to_source(luma: Plane, mark: Mark) -> float | None:
    """Return the mean SSIM with the picture of that mark at this size; None if it has not the shape of one."""
    height, width = luma.shape
    try:
        if size_of(height) != (width, height):
            return None
    except ValueError:
        return None
    return ssim(luma, draw(mark, height)[0])


def ssim(one: Plane, other: Plane) -> float:
    """Return the mean structural similarity of two pictures of the same size: 1 for equal ones. ValueError else."""
    if one.shape != other.shape or min(one.shape) < WINDOW:
        raise ValueError(f"pictures are {one.shape} and {other.shape}: expected the same size, {WINDOW} or more")
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _mean(x), _mean(y)
    variance_x, variance_y = _mean(x * x) - mean_x**2, _mean(y * y) - mean_y**2
    covariance = _mean(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    below = (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    return float(np.mean(above / below))


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over each window that lies within."""
    summed = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    corners = summed[WINDOW:, WINDOW:] - summed[:-WINDOW, WINDOW:] - summed[WINDOW:, :-WINDOW]
    means: NDArray[np.float64] = (corners + summed[:-WINDOW, :-WINDOW]) / WINDOW**2
    return means
