"""Python face of one consumer's forwarding state."""

from typing import Self, final

@final
class Forwarder:
    """Decides packet by packet what a consumer sends, and under which numbers."""

    def __new__(cls, is_video: bool = True, first_sequence_number: int = 1) -> Self: ...
    def set_target(self, target: int) -> None: ...
    def set_temporal(self, wanted: int) -> None: ...
    def resync(self) -> None: ...
    def hasten(self, live_timestamp: int) -> None: ...
    def skip(self, source: int, extended: int) -> None: ...
    def forget(self, source: int) -> None: ...
    def pad(self) -> int: ...
    def detach(self) -> None: ...
    def decide(
        self,
        source: int,
        extended: int,
        timestamp: int,
        *,
        key_frame: bool = False,
        temporal_id: int = 255,
        layer_sync: bool = False,
        picture_id: int = 0,
        tl0: int = 0,
        payload_length: int = 1,
        is_new: bool = True,
        codec: int = 2,
        clock_rate_hz: int = 90000,
        alignment: int | None = None,
        frame_number: int = -1,
        now_us: int = 0,
    ) -> tuple[int, int, int, int, int, bool] | None: ...
    def resend(self, number: int) -> tuple[int, int] | None: ...
