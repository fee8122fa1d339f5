"""Layer structures as browsers make them, and frames of any structure in the order in which an encoder makes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.oracle.dependency import Structure, Template

SIZES = ((320, 180), (640, 360), (1280, 720))
PATTERN = (0, 2, 1, 2)
"""Temporal layers of pictures, three of them."""


@dataclass(frozen=True)
class Made:
    """One frame: its template in the structure, and which picture it belongs to."""

    number: int
    picture: int
    template: int
    is_key: bool
    is_last: bool
    """Of its picture."""


def _indication(spatial: int, temporal: int, target: tuple[int, int], *, is_key: bool, key_only: bool) -> str:
    wanted_spatial, wanted_temporal = target
    if spatial > wanted_spatial or temporal > wanted_temporal:
        return "-"
    if is_key:
        return "S"
    if spatial == wanted_spatial:
        return "S" if temporal == 0 or temporal < wanted_temporal else "D"
    return "-" if key_only else "R"


def make_structure(spatial: int, temporal: int, *, key_only: bool, offset: int = 0) -> Structure:
    """Return what libwebrtc makes of L{spatial}T{temporal}, with `key_only` of its _KEY form."""
    targets = [(s, t) for s in range(spatial) for t in range(temporal)]
    templates = []
    for at in range(spatial):
        for layer in range(temporal):
            # A key frame, then one for each place in the pattern where this layer stands.
            for place in [None, *[p for p in range(4) if min(PATTERN[p], temporal - 1) == layer or temporal == 1][:2]]:
                if place is None and layer:
                    continue
                references = () if place is None else (_step(place, temporal) * spatial,)
                if at and (place is None or not key_only):
                    references = (*references, 1)
                marks = tuple(
                    "-DSR".index(_indication(at, layer, target, is_key=place is None, key_only=key_only))
                    for target in targets
                )
                templates.append(Template(at, layer, marks, references))
    return Structure(offset, len(targets), tuple(templates), (), SIZES[:spatial])


def _step(place: int, temporal: int) -> int:
    """How many pictures back the one that is referred to lies."""
    if temporal == 1:
        return 1
    return (4, 1, 2, 1)[place]


FULL = make_structure(3, 3, key_only=False)
KEY_ONLY = make_structure(3, 3, key_only=True, offset=20)
TEMPORAL = make_structure(1, 3, key_only=False, offset=61)
TWO = make_structure(2, 3, key_only=False, offset=33)


def make_frames(structure: Structure, pictures: int, *, keys: Sequence[int] = (0,), first: int = 0) -> Iterator[Made]:
    """Yield the frames of pictures in the pattern; it begins anew at each key picture."""
    spatial = max(each.spatial for each in structure.templates) + 1
    temporal = max(each.temporal for each in structure.templates) + 1
    number, since = first, 0
    for picture in range(pictures):
        is_key = picture in keys
        since = 0 if is_key else since + 1
        layer = min(PATTERN[since % 4], temporal - 1)
        for at in range(spatial):
            fitting = [
                index for index, each in enumerate(structure.templates) if (each.spatial, each.temporal) == (at, layer)
            ]
            template = fitting[0] if is_key or len(fitting) == 1 else fitting[-1 if layer == 0 else 0]
            if not is_key and layer == 2 and len(fitting) > 1:
                template = fitting[0 if since % 4 == 1 else 1]
            yield Made(number, picture, template, is_key, at == spatial - 1)
            number += 1
