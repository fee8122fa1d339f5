"""A track leaving the engine through a slot: Python's face of a consumer row."""

from __future__ import annotations

from collections.abc import Callable

from media.errors import LocalError
from media.native.worker import Worker
from media.routing.formats import CODECS_MAX, NO_PAYLOAD_TYPE, payload_tables
from media.routing.producer import Producer
from media.rtp.codecs import match_codec
from media.rtp.parameters import ConsumerParameters, MediaKind, Mid, Ssrc

TOP_ENCODING = 127
"""More than any producer has: the best one."""
ALL_TEMPORAL_LAYERS = 255

_TEMPORAL_ALL = 3  # the highest temporal layer that browsers send is 2
_NOTHING = bytes([NO_PAYLOAD_TYPE] * CODECS_MAX)


class Consumer:
    """A receive section of a viewer with fixed SSRCs, empty or fed by one producer of the same router."""

    def __init__(
        self,
        consumer_id: int,
        transport_id: int,
        parameters: ConsumerParameters,
        worker: Worker,
        *,
        ssrc: Ssrc,
        rtx_ssrc: Ssrc | None,
        first_number: int,
    ) -> None:
        self.id = consumer_id
        self.parameters = parameters
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.producer: Producer | None = None
        self.encoding: int | None = None
        self.on_switch: Callable[[int], None] | None = None
        self.closed = False
        self._worker = worker
        self._wanted = TOP_ENCODING
        self._temporal = ALL_TEMPORAL_LAYERS
        is_video = parameters.kind is MediaKind.VIDEO
        numbered = is_numbered(parameters)
        rtx_types = (codec.rtx_payload_type for codec in parameters.codecs if codec.rtx_payload_type is not None)
        padding_type = next(rtx_types, NO_PAYLOAD_TYPE) if rtx_ssrc is not None else NO_PAYLOAD_TYPE
        worker.add_consumer(
            consumer_id, transport_id, is_video, ssrc, rtx_ssrc or 0, first_number, numbered, padding_type
        )

    @property
    def mid(self) -> Mid:
        return self.parameters.mid

    def attach(self, producer: Producer) -> bool:
        """Carry this producer from now on; False (and an empty slot) if the viewer cannot decode its codec.

        LocalError if either is closed. As long as the producer's codec is unknown, one common codec is enough.
        """
        if self.closed or producer.closed:
            raise LocalError("attach needs an open consumer and an open producer")
        types, rtx_types = payload_tables(producer.parameters.codecs, self.parameters.codecs)
        current = producer.current
        playable = types != _NOTHING if current is None else match_codec(current, self.parameters.codecs) is not None
        if producer.kind is not self.parameters.kind or not playable:
            self.detach()
            return False
        if self.producer is producer:
            return True  # asked again once the codec is known: the tables hold all codecs, and the picture goes on
        self.producer = producer
        self.encoding = None
        row = producer.row_on(self._worker)
        self._worker.attach(self.id, row, types, rtx_types, self._wanted, self._temporal)
        return True

    def detach(self) -> None:
        """Become an empty slot; numbers and timeline go on with the next producer."""
        if self.producer is not None:
            self.producer = None
            self.encoding = None
            if not self.closed:
                self._worker.detach(self.id)

    def set_layers(self, encoding: int, temporal: int) -> None:
        """Want an encoding (0 = lowest; the switch comes at a key frame) and the highest temporal layer (3 = all)."""
        wanted = min(max(encoding, 0), TOP_ENCODING)
        layers = ALL_TEMPORAL_LAYERS if temporal >= _TEMPORAL_ALL else max(temporal, 0)
        if (wanted, layers) == (self._wanted, self._temporal):
            return
        self._wanted, self._temporal = wanted, layers
        if not self.closed:
            self._worker.set_layers(self.id, wanted, layers)

    def stats(self) -> dict[str, int]:
        """Return the row's counters (see the native worker's consumer_stats); empty when closed."""
        return {} if self.closed else self._worker.consumer_stats(self.id)

    def close(self) -> None:
        """Remove the slot."""
        if not self.closed:
            self.detach()
            self.closed = True
            self.on_switch = None
            self._worker.remove_consumer(self.id)

    def take_switch(self, index: int) -> None:
        """The native core sends another encoding from now on."""
        if self.producer is None:
            return  # the event is older than the detach
        self.encoding = index
        if self.on_switch is not None:
            self.on_switch(index)


def is_numbered(parameters: ConsumerParameters) -> bool:
    """Return whether packets of a slot carry transport-wide sequence numbers, by which its path is estimated.

    Not where lost packets are repeated without RTX: repeated under its old number a packet must be what it was, byte
    for byte, and a new transport-wide number would make another one of it.
    """
    reports = any("transport-cc" in codec.feedback for codec in parameters.codecs)
    has_nack = any("nack" in codec.feedback for codec in parameters.codecs)
    has_rtx = any(codec.rtx_payload_type is not None for codec in parameters.codecs)
    return reports and (has_rtx or not has_nack)
