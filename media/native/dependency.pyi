"""Dependency descriptors (AV1 RTP payload format, appendix A): which frames a layer needs."""

from typing import NamedTuple, Self, final

class Description(NamedTuple):
    """What one value says; targets are bits by index, `active` is None where it says nothing about it."""

    number: int
    starts: bool
    ends: bool
    brings_structure: bool
    active: int | None
    spatial: int
    temporal: int
    present: int
    required: int
    switches: int
    references: tuple[int, ...]

@final
class DependencyReader:
    """Reads the values of one stream in order, each by the structure of the last key frame."""

    def __new__(cls) -> Self: ...
    def read(self, value: bytes) -> Description: ...
    def targets(self) -> list[tuple[int, int]]: ...
    def resolutions(self) -> list[tuple[int, int]]: ...

def write_active(value: bytes, target_count: int, active: int) -> bytes | None: ...
