from typing import final

from media.native.srtp import SrtpSession

@final
class LoadFrames:
    def __new__(
        cls, codec: int, frame_ns: int, frame_ticks: int, key_at: list[int], turns: list[list[list[bytes]]]
    ) -> LoadFrames: ...

@final
class LoadPlane:
    def __new__(cls, capacity: int) -> LoadPlane: ...
    @property
    def told(self) -> int: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def add(
        self,
        descriptor: int,
        opener: SrtpSession,
        sealer: SrtpSession,
        roles: bytes,
        *,
        ssrc: int,
        transport_id: int = 0,
        counts: bool = True,
        loss: float = 0.0,
        announced: list[tuple[int, int, int]] = ...,
    ) -> int: ...
    def add_feed(
        self,
        id: int,
        frames: LoadFrames,
        *,
        ssrc: int,
        payload_type: int,
        block: bytes = b"",
        transport_at: int = -1,
        rtx_ssrc: int = 0,
        rtx_payload_type: int = 0,
        rtx_block: bytes = b"",
        rtx_transport_at: int = -1,
        publisher: int = 0,
        turn: int = 0,
        delay_ns: int = 0,
    ) -> None: ...
    def set_paused(self, id: int, ssrc: int, paused: bool) -> None: ...
    def set_cut(self, id: int, cut: bool) -> None: ...
    def remove(self, id: int) -> None: ...
    def counters(self, id: int) -> dict[str, int]: ...
    def totals(self) -> dict[str, int]: ...
    def firsts(self, id: int) -> tuple[int, int, int]: ...
    def latencies(self) -> list[int]: ...
    def take_control(self) -> list[tuple[int, bytes]]: ...
    def cpu_ns(self) -> int: ...
