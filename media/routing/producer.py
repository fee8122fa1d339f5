"""A track entering the engine: Python's face of a producer row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from media.native.worker import Worker
from media.routing.formats import codec_rows
from media.routing.layers import SpatialLayer, spatial_layers
from media.routing.mirrors import Mirrors
from media.rtp.parameters import EncodingParameters, MediaKind, PayloadType, ProducerParameters, Rid, RtpCodec, Ssrc


@dataclass(frozen=True, slots=True)
class EncodingState:
    """What is known of one encoding, or of one spatial layer; width and height are 0 until a key frame told them."""

    rid: Rid | None
    ssrc: Ssrc | None
    active: bool
    """Packets come at present."""
    width: int
    height: int
    bitrate_bps: int
    """Of a spatial layer with all that it needs."""
    temporal_shares: tuple[float, ...] = ()
    """Of the bitrate, up to each temporal layer, lowest first; empty where it is not measured."""


class Producer:
    """Starts paused: what comes is authenticated and counted, but neither stored nor forwarded."""

    def __init__(
        self,
        producer_id: int,
        transport_id: int,
        parameters: ProducerParameters,
        worker: Worker,
        *,
        in_kinds: Callable[[], bytes],
        new_id: Callable[[], int],
    ) -> None:
        self.id = producer_id
        self.parameters = parameters
        self.paused = True
        self.closed = False
        self.on_change: Callable[[], None] | None = None
        self._worker = worker
        self._mirrors = Mirrors(worker, producer_id, parameters, in_kinds, new_id)
        self._payload_type: PayloadType | None = None
        encodings = parameters.encodings or (EncodingParameters(),)
        self._rids = [encoding.rid for encoding in encodings]
        self._ssrcs = [encoding.ssrc for encoding in encodings]
        worker.add_producer(
            producer_id,
            transport_id,
            parameters.mid.encode(),
            parameters.kind is MediaKind.VIDEO,
            codec_rows(parameters.kind, parameters.codecs),
            [((encoding.rid or "").encode(), encoding.ssrc or 0, encoding.rtx_ssrc or 0) for encoding in encodings],
        )

    @property
    def kind(self) -> MediaKind:
        return self.parameters.kind

    @property
    def current(self) -> RtpCodec | None:
        """The codec of the newest stream; None before packets came."""
        for codec in self.parameters.codecs:
            if codec.payload_type == self._payload_type:
                return codec
        return None

    @property
    def codec(self) -> str | None:
        """Name of the codec in use, None before packets came."""
        return self.current.name if self.current is not None else None

    @property
    def encodings(self) -> tuple[EncodingState, ...]:
        """What viewers can be sent, lowest first: the encodings, or the spatial layers of one layered stream (SVC)."""
        layers = self._layers()
        if len(layers) > 1:
            return tuple(
                replace(
                    self._encoding(0),
                    width=each.width,
                    height=each.height,
                    bitrate_bps=each.bitrate_bps,
                    temporal_shares=each.temporal_shares,
                )
                for each in layers
            )
        encodings = tuple(self._encoding(index) for index in range(len(self._rids)))
        return (replace(encodings[0], temporal_shares=layers[0].temporal_shares),) if layers else encodings

    @property
    def received_bytes(self) -> tuple[int, ...]:
        """What came of each encoding since the start, resends included, paused or not."""
        return (0,) * len(self._rids) if self.closed else self._worker.received_bytes(self.id)

    @property
    def offered_bytes(self) -> tuple[int, ...]:
        """What came since the start of each of `encodings`, once; of a spatial layer, with all that it needs."""
        layers = self._layers()
        if len(layers) > 1:
            return tuple(each.received_bytes for each in layers)
        return (0,) * len(self._rids) if self.closed else self._worker.offered_bytes(self.id)

    def pause(self) -> None:
        """Stop forwarding (mute or unpublish)."""
        self._set_paused(True)

    def resume(self) -> None:
        """Forward again; viewers of video start at the next key frame."""
        self._set_paused(False)

    def request_key_frame(self) -> None:
        """Ask the publisher for a key frame of every encoding, through the gate."""
        for index in range(len(self._rids)):
            self._worker.request_key_frame(self.id, index)

    def close(self) -> None:
        """Remove the producer; its consumers become empty slots."""
        if not self.closed:
            self.closed = True
            self.on_change = None
            self._mirrors.close()
            self._worker.remove_producer(self.id)

    def row_on(self, worker: Worker) -> int:
        """Return the id under which viewers of a worker find this producer."""
        return self._mirrors.row_on(worker, paused=self.paused)

    def renew_kinds(self) -> None:
        """The publisher's transport has taken other header extensions."""
        self._mirrors.renew_kinds()

    def take_stream(self, index: int, ssrc: Ssrc) -> None:
        """The native core recognised the SSRC of an encoding."""
        self._ssrcs[index] = ssrc
        self._changed()

    def take_format(self, payload_type: PayloadType) -> None:
        """The native core saw another payload type or picture size."""
        self._payload_type = payload_type
        self._changed()

    def take_bye(self) -> None:
        """The publisher ended an encoding (RFC 3550 section 6.6); its viewers are aimed at another already."""
        self._changed()

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _set_paused(self, paused: bool) -> None:
        if not self.closed and self.paused != paused:
            self.paused = paused
            self._worker.set_paused(self.id, paused)
            self._mirrors.set_paused(paused)

    def _layers(self) -> tuple[SpatialLayer, ...]:
        if self.closed or self.kind is not MediaKind.VIDEO or len(self._rids) > 1:
            return ()
        return spatial_layers(self._worker.layer_stats(self.id, 0))

    def _encoding(self, index: int) -> EncodingState:
        stats = {} if self.closed else self._worker.encoding_stats(self.id, index)
        return EncodingState(
            rid=self._rids[index],
            ssrc=self._ssrcs[index],
            active=bool(stats.get("active")),
            width=stats.get("width", 0),
            height=stats.get("height", 0),
            bitrate_bps=stats.get("bitrate_bps", 0),
        )
