"""A media engine that only remembers what it was told: stands for our own port in tests of rooms, without packets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from media.rtp.parameters import (
    Candidate,
    ConsumerParameters,
    Fingerprint,
    IceCredentials,
    LocalTransport,
    MediaKind,
    Mid,
    ProducerParameters,
    RemoteTransport,
    Rid,
    Ssrc,
)
from signaling.ports import PathEstimate, TransportListener

FINGERPRINT = Fingerprint("sha-256", ":".join(["AB"] * 32))


@dataclass
class FakeEncoding:
    rid: Rid | None
    width: int = 0
    height: int = 0
    bytes: int = 0
    temporal_shares: tuple[float, ...] = ()


class FakeProducer:
    def __init__(self, parameters: ProducerParameters) -> None:
        self.parameters = parameters
        self.on_change: Callable[[], None] | None = None
        self.codec: str | None = None
        self.encodings: list[FakeEncoding] = [FakeEncoding(each.rid) for each in parameters.encodings]
        self.paused = True
        self.closed = False

    @property
    def received_bytes(self) -> list[int]:
        return [each.bytes for each in self.encodings]

    @property
    def offered_bytes(self) -> list[int]:
        return self.received_bytes

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        assert not self.closed
        self.paused = False

    def close(self) -> None:
        self.closed = True

    def change(self, *, codec: str | None = None, heights: Sequence[int] = ()) -> None:
        """Learn something from packets, and say so."""
        self.codec = codec or self.codec
        for encoding, height in zip(self.encodings, heights, strict=False):
            encoding.height, encoding.width = height, height * 16 // 9
        if self.on_change is not None:
            self.on_change()


class FakeConsumer:
    def __init__(self, parameters: ConsumerParameters, ssrc: Ssrc, refuses: set[str]) -> None:
        self.mid = parameters.mid
        self.ssrc = ssrc
        self.rtx_ssrc = Ssrc(ssrc + 1) if parameters.kind is MediaKind.VIDEO else None
        self.on_switch: Callable[[int], None] | None = None
        self.producer: FakeProducer | None = None
        self.encoding: int | None = None
        self.layers: tuple[int, int] | None = None
        self.attached = 0
        self.closed = False
        self._refuses = refuses

    def attach(self, producer: FakeProducer) -> bool:
        assert not self.closed
        if producer.codec in self._refuses:
            return False
        self.producer = producer
        self.encoding = None
        self.attached += 1
        return True

    def detach(self) -> None:
        assert not self.closed
        self.producer = self.encoding = self.layers = None

    def set_layers(self, encoding: int, temporal: int) -> None:
        self.layers = (encoding, temporal)

    def close(self) -> None:
        self.closed = True

    def switch(self, encoding: int) -> None:
        """Begin to forward another encoding, and say so."""
        self.encoding = encoding
        if self.on_switch is not None:
            self.on_switch(encoding)


@dataclass
class FakePath:
    received: int = 0
    lost: int = 0
    sent: int = 0
    loss_out: float = 0.0
    jitter_in_s: float = 0.0
    jitter_out_s: float = 0.0
    round_trip_s: float = 0.0


class FakeTransport:
    def __init__(self, remote: RemoteTransport, listener: TransportListener, router: FakeRouter) -> None:
        self.remote = remote
        self.listener = listener
        self.router = router
        self.producers: dict[Mid, FakeProducer] = {}
        self.consumers: dict[Mid, FakeConsumer] = {}
        self.traffic = FakePath()
        """What the data plane would have counted."""
        self.extensions = dict(remote.extensions)
        self.restarts = 0
        self.number = len(router.transports)
        """Stands in the ufrag, after the number of restarts."""
        self.closed = False
        self.estimate: PathEstimate | None = None
        self.wanted_bps = 0

    @property
    def local(self) -> LocalTransport:
        ice = IceCredentials(f"ufrag{self.restarts}x{self.number}", "password-of-more-than-22-characters")
        return LocalTransport(ice, FINGERPRINT, (Candidate("192.0.2.1", 7000, 2130706431, "1"),))

    @property
    def path(self) -> FakePath:
        return replace(self.traffic)

    def restart_ice(self, remote: IceCredentials) -> LocalTransport:
        self.restarts += 1
        return self.local

    def add_extensions(self, extensions: dict[int, str]) -> None:
        self.extensions |= extensions

    def produce(self, parameters: ProducerParameters) -> FakeProducer:
        if parameters.mid in self.router.refused_mids:
            raise ValueError(f"mid {parameters.mid} is refused")
        producer = self.producers[parameters.mid] = FakeProducer(parameters)
        return producer

    def consume(self, parameters: ConsumerParameters) -> FakeConsumer:
        ssrc = Ssrc(next(self.router.ssrcs))
        consumer = self.consumers[parameters.mid] = FakeConsumer(parameters, ssrc, self.router.refused_codecs)
        return consumer

    def want(self, bitrate_bps: int) -> None:
        self.wanted_bps = bitrate_bps

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeRouter:
    transports: list[FakeTransport] = field(default_factory=list)
    refused_codecs: set[str] = field(default_factory=set)
    """No consumer can take these."""
    refused_mids: set[str] = field(default_factory=set)
    """No producer can be made for these."""
    ssrcs: count[int] = field(default_factory=lambda: count(1000, 2))
    closed: bool = False
    on_levels: Callable[[Sequence[tuple[FakeProducer, bytes]], float], None] | None = None
    on_estimates: Callable[[Sequence[tuple[FakeTransport, PathEstimate]], float], None] | None = None

    def create_transport(self, remote: RemoteTransport, listener: TransportListener) -> FakeTransport:
        transport = FakeTransport(remote, listener, self)
        self.transports.append(transport)
        return transport

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeEngine:
    routers: list[FakeRouter] = field(default_factory=list)

    def create_router(self) -> FakeRouter:
        router = FakeRouter()
        self.routers.append(router)
        return router
