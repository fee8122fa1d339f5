"""What went over a transport in all, for the line that is written when somebody leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from media.native.worker import Worker
from media.routing.consumer import Consumer
from media.routing.path import PathCounters
from media.routing.producer import Producer


@dataclass(frozen=True, slots=True)
class TransportTotals:
    """Of the sections that were there at the end; counts of packets but where a name says otherwise."""

    received_packets: int = 0
    received_bytes: int = 0
    lost_packets: int = 0
    """On the way to us, before repair."""
    nacks_sent: int = 0
    """Packets that we asked the peer for."""
    recovered_packets: int = 0
    sent_packets: int = 0
    sent_bytes: int = 0
    nacks_received: int = 0
    """Packets that the peer asked for."""
    resent_packets: int = 0
    missed_packets: int = 0
    """Asked for, and not there any more."""
    loss_out: float = 0.0
    """The part of what we sent that the peer's last reports missed, 0 to 1."""
    round_trip_s: float = 0.0
    """As last measured; 0: never."""
    codecs: tuple[str, ...] = ()
    """Of what came."""


def count_totals(
    worker: Worker, producers: Iterable[Producer], consumers: Iterable[Consumer], path: PathCounters
) -> TransportTotals:
    """Add up the rows of a transport that is still there."""
    open_producers = [producer for producer in producers if not producer.closed]
    encodings = [
        worker.encoding_stats(producer.id, index)
        for producer in open_producers
        for index in range(len(producer.received_bytes))
    ]
    slots = [consumer.stats() for consumer in consumers if not consumer.closed]
    return TransportTotals(
        received_packets=sum(each["packets"] for each in encodings),
        received_bytes=sum(each["bytes"] for each in encodings),
        lost_packets=sum(each["lost"] for each in encodings),
        nacks_sent=sum(each["nack_asked"] for each in encodings),
        recovered_packets=sum(each["recovered"] for each in encodings),
        sent_packets=sum(each["packets"] for each in slots),
        sent_bytes=sum(each["octets"] for each in slots),
        nacks_received=sum(each["nacked"] for each in slots),
        resent_packets=sum(each["resent"] for each in slots),
        missed_packets=sum(each["missed"] for each in slots),
        loss_out=path.loss_out,
        round_trip_s=path.round_trip_s,
        codecs=tuple(sorted({producer.codec for producer in open_producers if producer.codec is not None})),
    )
