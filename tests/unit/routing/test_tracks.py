"""Producers and consumers on a worker without a thread: codecs meet, slots fill and empty, rows come back."""

from __future__ import annotations

import pytest

from media.errors import LocalError
from media.native.worker import Worker
from media.routing.consumer import Consumer
from media.routing.formats import CODECS_MAX, NO_PAYLOAD_TYPE, codec_rows, payload_tables
from media.routing.producer import Producer
from media.rtp.parameters import (
    ConsumerParameters,
    EncodingParameters,
    MediaKind,
    Mid,
    PayloadType,
    ProducerParameters,
    Rid,
    RtpCodec,
    Ssrc,
)

TRANSPORT = 1


def codec(name: str, payload_type: int, rtx: int | None = None, **fmtp: str) -> RtpCodec:
    clock_rate_hz, channels = (48000, 2) if name == "opus" else (90000, 1)
    return RtpCodec(
        name,
        PayloadType(payload_type),
        clock_rate_hz,
        channels,
        fmtp,
        frozenset({"nack"}),
        None if rtx is None else PayloadType(rtx),
    )


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.add_transport(TRANSPORT, 7, bytes(256), bytes(64))
    return worker


def camera(worker: Worker, *codecs: RtpCodec, producer_id: int = 10) -> Producer:
    encodings = tuple(EncodingParameters(Rid(rid)) for rid in "qhf")
    parameters = ProducerParameters(Mid("1"), MediaKind.VIDEO, codecs, encodings)
    return Producer(producer_id, TRANSPORT, parameters, worker, in_kinds=lambda: bytes(256), new_id=lambda: 99)


def slot(worker: Worker, *codecs: RtpCodec, kind: MediaKind = MediaKind.VIDEO, consumer_id: int = 20) -> Consumer:
    return Consumer(
        consumer_id,
        TRANSPORT,
        ConsumerParameters(Mid("5"), kind, codecs),
        worker,
        ssrc=Ssrc(consumer_id * 1000),
        rtx_ssrc=Ssrc(consumer_id * 1000 + 1),
        first_number=1,
    )


def test_payload_types_are_translated_by_codec() -> None:
    types, rtx_types = payload_tables(
        [codec("VP8", 96, 97), codec("VP9", 98), codec("AV1", 45)], [codec("VP9", 101, 102), codec("VP8", 120)]
    )
    assert types[:3] == bytes([120, 101, NO_PAYLOAD_TYPE])
    assert rtx_types[:3] == bytes([NO_PAYLOAD_TYPE, 102, NO_PAYLOAD_TYPE])
    assert len(types) == len(rtx_types) == CODECS_MAX


def test_section_with_too_many_codecs_is_refused() -> None:
    with pytest.raises(ValueError, match="25 codecs"):
        codec_rows(MediaKind.VIDEO, [codec("VP8", 96)] * 25)


def test_slot_takes_a_producer_that_it_can_decode(worker: Worker) -> None:
    producer, consumer = camera(worker, codec("VP8", 96)), slot(worker, codec("VP8", 120))
    assert consumer.attach(producer)
    assert consumer.producer is producer
    consumer.detach()
    assert consumer.producer is None


def test_slot_stays_empty_without_a_common_codec(worker: Worker) -> None:
    producer = camera(worker, codec("AV1", 45))
    assert not slot(worker, codec("VP8", 120)).attach(producer)
    assert not slot(worker, codec("opus", 111), kind=MediaKind.AUDIO, consumer_id=21).attach(producer)


def test_codec_that_turns_up_decides(worker: Worker) -> None:
    producer, consumer = camera(worker, codec("VP8", 96), codec("AV1", 45)), slot(worker, codec("VP8", 120))
    changes: list[str | None] = []
    producer.on_change = lambda: changes.append(producer.codec)
    assert consumer.attach(producer), "as long as nothing is known, one common codec is enough"
    producer.take_format(PayloadType(45))
    assert changes == ["AV1"]
    assert not consumer.attach(producer)
    assert consumer.producer is None


def test_attaching_again_does_not_interrupt(worker: Worker) -> None:
    producer, consumer = camera(worker, codec("VP8", 96)), slot(worker, codec("VP8", 120))
    consumer.attach(producer)
    consumer.take_switch(2)
    assert consumer.attach(producer)
    assert consumer.encoding == 2


def test_closed_ends_refuse_to_meet(worker: Worker) -> None:
    producer, consumer = camera(worker, codec("VP8", 96)), slot(worker, codec("VP8", 120))
    producer.close()
    with pytest.raises(LocalError):
        consumer.attach(producer)
    consumer.close()
    assert worker.rows() == (1, 0, 0)
    producer.pause()  # after the end nothing happens
    consumer.set_layers(1, 0)
    assert consumer.stats() == {}


def test_producer_that_ends_empties_its_slots(worker: Worker) -> None:
    producer, consumer = camera(worker, codec("VP8", 96)), slot(worker, codec("VP8", 120))
    consumer.attach(producer)
    producer.close()
    other = camera(worker, codec("VP8", 96), producer_id=11)
    assert consumer.attach(other)
    consumer.close()
    other.close()
    assert worker.rows() == (1, 0, 0)


def test_stale_switch_is_not_told(worker: Worker) -> None:
    consumer = slot(worker, codec("VP8", 120))
    switches: list[int] = []
    consumer.on_switch = switches.append
    consumer.take_switch(1)
    assert switches == []
    consumer.attach(camera(worker, codec("VP8", 96)))
    consumer.take_switch(2)
    assert (switches, consumer.encoding) == ([2], 2)
