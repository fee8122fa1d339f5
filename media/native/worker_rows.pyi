"""Rows of one worker, put in and taken out by Python."""

from typing import Self

from typing_extensions import disjoint_base

@disjoint_base
class WorkerRows:
    """The rows. All ids are chosen by the caller, unique, and not 0; an unknown id is a KeyError."""

    family: int
    def __new__(
        cls,
        descriptor: int = -1,
        wake_descriptor: int = -1,
        event_descriptor: int = -1,
        family: int = 2,
        nice: int = 0,
    ) -> Self: ...
    def add_transport(self, id: int, ssrc: int, in_kinds: bytes, out_ids: bytes) -> None: ...
    def set_extensions(self, id: int, in_kinds: bytes, out_ids: bytes) -> None: ...
    def set_address(self, id: int, host: str, port: int) -> None: ...
    def allow_address(self, id: int, host: str, port: int) -> None: ...
    def forget_address(self, id: int, host: str, port: int) -> None: ...
    def clear_address(self, id: int) -> None: ...
    def set_keys(self, id: int, inbound: int, outbound: int, sealer: int = 0) -> None: ...
    def set_wanted(self, id: int, bitrate_bps: int) -> None:
        """Say how much could be used toward this transport; its path is probed as long as the estimate is below."""

    def remove_transport(self, id: int) -> None: ...
    def add_producer(
        self,
        id: int,
        transport: int,
        mid: bytes,
        is_video: bool,
        codecs: list[tuple[int, int, int, int, bool]],
        encodings: list[tuple[bytes, int, int]],
    ) -> None: ...
    def set_paused(self, producer: int, paused: bool) -> None: ...
    def remove_producer(self, producer: int) -> None: ...
    def add_consumer(
        self,
        id: int,
        transport: int,
        is_video: bool,
        ssrc: int,
        rtx_ssrc: int,
        first_number: int,
        numbered: bool = False,
        padding_type: int = 255,
    ) -> None: ...
    def attach(
        self,
        consumer: int,
        producer: int,
        payload_types: bytes,
        rtx_payload_types: bytes,
        encoding: int,
        temporal: int,
    ) -> None: ...
    def detach(self, consumer: int) -> None: ...
    def set_layers(self, consumer: int, encoding: int, temporal: int) -> None: ...
    def remove_consumer(self, consumer: int) -> None: ...
    def renew_pictures(self, id: int) -> None:
        """Start every video slot of a transport anew at a key frame."""

    def request_key_frame(self, producer: int, encoding: int) -> None: ...
