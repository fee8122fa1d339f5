"""Draws and finds counted sound: a chirp at each whole second, and a second one whose place tells which second.

A rising chirp stands at each second s exactly, a falling one 200 ms + 50 ms * (s modulo 12) later: so sound tells its
own time modulo 12 seconds. The band is the participant's (modulo 6): in a mix each can still be found.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono, -1 to 1."""
SAMPLE_RATE_HZ: Final = 48_000
PERIOD_S: Final = 12
"""Sound repeats after so many seconds."""
CHIRP_S: Final = 0.04  # long enough to stand out of coding noise, short enough for one Opus packet and a half
SECOND_PLACE_S: Final = 0.2
PLACE_STEP_S: Final = 0.05
BANDS: Final = 6
BAND_LOWEST_HZ: Final = 400.0
BAND_STEP_HZ: Final = 400.0  # all below 2.8 kHz: Opus keeps the wave itself there, above it only the sound of it
BAND_HZ: Final = 400.0
LEVEL: Final = 0.5
CUT_MAX_S: Final = 0.001  # at the begin or end of sound; a chirp that is cut further seems to be elsewhere
HUM_HZ: Final = 180.0  # below all bands; keeps an encoder from calling the time between chirps silence
HUM_LEVEL: Final = 0.01
BAND_EDGE: Final = 0.05  # of the chirp's strongest frequency: what is weaker does not belong to its band
LIKENESS_MIN: Final = 0.75
"""Correlation with a chirp within its band, 0 to 1, above which it is one: the opposite chirp reaches 0.5, Opus at 16
kbit/s keeps 0.83."""
SHARE_MIN: Final = 0.25
"""Correlation over all bands that it must have, too: noise reaches 0.1, six people who chirp at once 0.4 each."""


class Chirp(NamedTuple):
    """A whole second that was heard."""

    at_s: float
    """When its chirp begins, in the sound that was searched."""
    second: int | None
    """Which second it says it is, 0 to 11; None if the telling chirp is missing."""


def draw_sound(participant: int, seconds: float, *, first_second: int = 0) -> Samples:
    """Return sound that begins at a whole second."""
    sound = HUM_LEVEL * np.sin(2 * np.pi * HUM_HZ * np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)
    rising, falling = _chirps(participant)
    for second in range(int(np.ceil(seconds))):
        place = SECOND_PLACE_S + PLACE_STEP_S * ((first_second + second) % PERIOD_S)
        for chirp, at_s in ((rising, float(second)), (falling, second + place)):
            start = round(at_s * SAMPLE_RATE_HZ)
            heard = sound[start : start + len(chirp)]
            heard += LEVEL * chirp[: len(heard)]
    return sound.astype(np.float32)


def find_chirps(sound: Samples, participant: int) -> list[Chirp]:
    """Return the whole seconds in 48 kHz mono sound, by time. Exact to a millisecond or so."""
    rising, falling = (_peaks(sound, chirp) for chirp in _chirps(participant))
    return [Chirp(at_s, _told_second(at_s, falling)) for at_s in rising]


def _told_second(at_s: float, falling: list[float]) -> int | None:
    for told_s in falling:
        second = (told_s - at_s - SECOND_PLACE_S) / PLACE_STEP_S
        if -0.2 < second < PERIOD_S - 0.8 and abs(second - round(second)) < 0.2:
            return round(second)
    return None


def _chirps(participant: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rising and the falling chirp of a participant's band, at level 1."""
    t = np.arange(round(CHIRP_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    low = BAND_LOWEST_HZ + BAND_STEP_HZ * (participant % BANDS)
    window = np.hanning(len(t))
    rise = low * t + BAND_HZ / (2 * CHIRP_S) * t**2
    fall = (low + BAND_HZ) * t - BAND_HZ / (2 * CHIRP_S) * t**2
    return window * np.sin(2 * np.pi * rise), window * np.sin(2 * np.pi * fall)


def _peaks(sound: Samples, chirp: NDArray[np.float64]) -> list[float]:
    """Return where the sound is like the chirp, whatever its phase and loudness, in seconds."""
    if len(sound) < len(chirp):
        return []
    likeness = _likeness(sound.astype(np.float64), chirp)
    distance = len(chirp)
    found: list[float] = []
    above = np.flatnonzero(likeness >= LIKENESS_MIN)
    while len(above):
        run = above[above < above[0] + distance]
        best = run[np.argmax(likeness[run])]
        if best + distance <= len(sound) + CUT_MAX_S * SAMPLE_RATE_HZ:
            found.append(float(best) / SAMPLE_RATE_HZ)
        above = above[above >= best + distance]
    return found


def _likeness(sound: NDArray[np.float64], chirp: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the envelope of the correlation at every sample, 0 to 1, normalised by what sounds in the chirp's band.

    It is 0 where the chirp would be too small a share of all that sounds.
    """
    size = 1 << int(np.ceil(np.log2(len(sound) + len(chirp))))
    of_chirp, of_sound = np.fft.rfft(chirp, size), np.fft.rfft(sound, size)
    of_sound[np.abs(of_chirp) < BAND_EDGE * np.abs(of_chirp).max()] = 0  # others of a mix are in other bands
    in_band = np.fft.irfft(of_sound, size)[: len(sound)]
    analytic = np.zeros(size, np.complex128)
    analytic[: len(of_chirp)] = of_sound * np.conj(of_chirp)  # without negative frequencies: its size is the envelope
    product = np.fft.ifft(analytic)[: len(sound)]
    envelope = 2 * np.abs(product)
    likeness: NDArray[np.float64] = envelope / _norm(in_band, chirp)
    likeness[envelope < SHARE_MIN * _norm(sound, chirp)] = 0
    return likeness


def _norm(sound: NDArray[np.float64], chirp: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the correlation would be, at every sample, if the sound were the chirp at its loudness."""
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    ends = np.minimum(np.arange(len(sound)) + len(chirp), len(sound))
    window = np.sqrt(np.maximum(energy[ends] - energy[: len(sound)], 0) * np.sum(chirp**2))
    floor = HUM_LEVEL * np.sqrt(len(chirp) * np.sum(chirp**2))  # in near silence everything is alike
    norm: NDArray[np.float64] = np.maximum(window, floor)
    return norm
