"""Python face of a layered stream: its frames, whoever describes them."""

from typing import NamedTuple, Self, final

class LayeredFrame(NamedTuple):
    """A frame as one of its packets tells; targets are bits by index, `own` is 255 where references say it all."""

    number: int
    active: int
    starts: bool
    ends: bool
    own: int
    spatial: int
    temporal: int
    present: int
    required: int
    switches: int
    references: tuple[int, ...]

@final
class LayerReader:
    """The frames of one stream, packet by packet."""

    def __new__(cls) -> Self: ...
    def descriptor(self, value: bytes, size: int = 1) -> LayeredFrame | None: ...
    def vp9(self, payload: bytes) -> LayeredFrame | None: ...
    def targets(self) -> list[tuple[int, int]]: ...
    def received(self) -> list[int]: ...
    def heights(self) -> list[int]: ...
