"""Which encoding and how many temporal layers a slot needs for the picture that its viewer wants: pure arithmetic."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

from signaling.identifiers import Source

CAMERA_HEIGHT_DEFAULT: Final = 360
"""A tile of a grid; a viewer who has one large says so in `view`."""

DECLARED_HEIGHT_DEFAULT: Final = 720
"""What browsers give for a camera when the page asks for nothing better and the publisher did not say."""

ENLARGEMENT_MAX: Final = 1.1
"""An encoding serves a picture up to this much higher: a tenth is not seen, and the next encoding costs four times."""

FULL_FRAME_RATE: Final = 30.0
TEMPORAL_LAYERS: Final = 3
"""Of a stream of three layers each halves the rate of the next: 7.5, 15 and 30 frames a second."""

TEMPORAL_ALL: Final = 3
"""Above the highest layer id in use: nothing is left out, whatever the structure."""


LOWEST: Final = 0
"""The encoding that everybody is sent first."""


class Rendition(enum.Enum):
    """A simulcast encoding by its usual rid, for viewers who name one instead of a height."""

    LOW = "q"
    MIDDLE = "h"
    HIGH = "f"


def default_height(source: Source) -> int | None:
    """Return the wanted height for a viewer who said nothing; None is the highest there is (text must be readable)."""
    return CAMERA_HEIGHT_DEFAULT if source is Source.CAMERA else None


def choose_encoding(
    heights: Sequence[int], *, wanted_height: float | None, declared_height: int | None, source: Source = Source.CAMERA
) -> int:
    """Return the index of the lowest encoding that is high enough, else of the highest (0 = lowest).

    Of several of one height of a screen it is the highest: they differ in their frames. `heights` are those of the
    encodings in pixels, 0 where not known: such are taken as halves of each other below the declared height (q, h, f =
    1/4, 1/2, 1), those of a screen for as high as that. What to send while the publisher holds an encoding back is the
    engine's business: it knows that sooner.
    """
    highest = max(len(heights) - 1, 0)
    if wanted_height is None:
        return highest
    likely = likely_heights(heights, declared_height=declared_height, source=source)
    for index, height in enumerate(likely):
        if height * ENLARGEMENT_MAX >= wanted_height:
            if source is Source.SCREEN:
                return max(other for other in range(index, len(likely)) if likely[other] == height)
            return index
    return highest


def likely_heights(
    heights: Sequence[int], *, declared_height: int | None, source: Source = Source.CAMERA
) -> list[float]:
    """Return the heights of the encodings in pixels, also of those that are not known (0)."""
    highest = len(heights) - 1
    declared = float(declared_height or DECLARED_HEIGHT_DEFAULT)
    if source is Source.SCREEN:
        declared = float(max([*heights, 0]) or declared)
        return [known or declared for known in heights]
    return [known or declared / 2 ** (highest - index) for index, known in enumerate(heights)]


def of_one_size(heights: Sequence[int]) -> bool:
    """Return whether no two encodings are known to be of different heights (0: not known)."""
    return len({height for height in heights if height}) <= 1


def choose_rendition(rids: Sequence[str | None], rendition: Rendition) -> int:
    """Return the index of the encoding with that rid; where rids are called otherwise, of the one in its place."""
    if rendition.value in rids:
        return rids.index(rendition.value)
    highest = max(len(rids) - 1, 0)
    return {Rendition.LOW: 0, Rendition.MIDDLE: max(highest - 1, 0), Rendition.HIGH: highest}[rendition]


def choose_temporal_layer(wanted_frame_rate: float | None) -> int:
    """Return the highest useful temporal layer, 0 to TEMPORAL_ALL, of a stream with three layers at 30 frames/s."""
    if wanted_frame_rate is None:
        return TEMPORAL_ALL
    for layer in range(TEMPORAL_LAYERS - 1):
        frame_rate = FULL_FRAME_RATE / 2 ** (TEMPORAL_LAYERS - 1 - layer)
        if frame_rate * ENLARGEMENT_MAX >= wanted_frame_rate:
            return layer
    return TEMPORAL_ALL
