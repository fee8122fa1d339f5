"""Python face of what one viewer is sent of a layered stream."""

from typing import Self, final

@final
class Selection:
    """Decides frame by frame, by decode targets (AV1 RTP payload format, appendix A.4)."""

    def __new__(cls) -> Self: ...
    def set_targets(self, targets: list[tuple[int, int]]) -> None: ...
    def want(self, spatial: int, temporal: int) -> None: ...
    def start(self) -> None: ...
    def take(
        self,
        number: int,
        timestamp: int,
        *,
        spatial: int,
        present: int,
        required: int,
        switches: int,
        references: tuple[int, ...] = (),
        active: int = 0xFFFFFFFF,
        own: int = 255,
        ends: bool = False,
        marker: bool = False,
        late: bool = False,
    ) -> tuple[bool, bool] | None: ...
    def target(self) -> int | None: ...
    def waits(self) -> bool: ...
    def climbs(self) -> bool: ...
