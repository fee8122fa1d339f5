"""A room in virtual time: the real room, estimators and paths; of publishers, engine and viewers what matters to them.

Publishers send simulcast at known rates and obey `layers` like a browser; the engine forwards frames by the layers that
consumers were given, and switches encodings at key frames; every viewer's path is a bottleneck with a queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from media.native.gcc import Estimator
from media.routing.path_estimate import PathEstimate
from signaling.client_messages import View, ViewRequest
from signaling.identifiers import Source
from signaling.server_messages import Layers
from tests.sim.path import FEEDBACK_S, LOSS_KNOWN_AFTER_S, PACKET_BYTES, Path, Sent
from tests.unit.signaling.fake_engine import FakeConsumer, FakeProducer
from tests.unit.signaling.offers import TRANSPORT_WIDE, sdk_offer
from tests.unit.signaling.stage import Person, Stage

TICK_S: Final = 1 / 30
"""A frame of every encoding; what is smaller happens between."""
RATES_BPS: Final = (150_000, 500_000, 1_500_000)
HEIGHTS: Final = (180, 360, 720)
FRAMES: Final = ((0, 2.0), (2, 0.6), (1, 0.8), (2, 0.6))
"""Temporal layer and share of a mean frame, in turn: a half, a fifth and three tenths of the bitrate."""
KEY_FRAME: Final = 4.0
"""Mean frames."""
ACTIVATION_S: Final = 0.2
"""From `layers` to the first key frame: a way to the browser and back, and the encoder."""
ESTIMATES_S: Final = 0.2


class Publisher:
    """Sends what it is asked to, a while after it is asked."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.producer: FakeProducer = person.producer(Source.CAMERA)
        self.sends = [True] * len(RATES_BPS)
        self.sent_bits = 0
        self._told = 0
        self._due: list[tuple[float, list[bool]]] = []

    def tick(self, now: float) -> None:
        told = self.person.all(Layers)
        for message in told[self._told :]:
            self._due.append((now + ACTIVATION_S, [each.active for each in message.encodings]))
        self._told = len(told)
        while self._due and self._due[0][0] <= now:
            self.sends = self._due.pop(0)[1]
        for encoding, rate_bps, sends in zip(self.producer.encodings, RATES_BPS, self.sends, strict=True):
            if sends:
                encoding.bytes += round(rate_bps * TICK_S / 8)
                self.sent_bits += round(rate_bps * TICK_S)


@dataclass
class Downlink:
    """What goes to one viewer, over which path, and what is estimated of it."""

    person: Person
    path: Path
    estimator: Estimator = field(default_factory=Estimator)
    sent_bits: list[int] = field(default_factory=lambda: [0])
    """By second, pictures only."""
    probe_bits: int = 0
    queued_s: list[float] = field(default_factory=list)
    flying: list[Sent] = field(default_factory=list)
    told_at: float = 0.0
    estimate_bps: int = 0
    is_news: bool = False
    moves: int = 0
    """How often what is shown changed."""
    _told: list[tuple[float, list[Sent]]] = field(default_factory=list)
    _before: list[object] = field(default_factory=list)

    @property
    def slots(self) -> list[FakeConsumer]:
        return [each for each in self.person.transport.consumers.values() if each.producer is not None]

    def tick(self, frame: int, publishers: dict[int, Publisher], now: float) -> None:
        """Send a frame of all that is shown, probe, and hear what came."""
        shown = [(each.mid, each.layers) for each in self.slots]
        self.moves += shown != self._before
        self._before = list(shown)
        for index, consumer in enumerate(self.slots):
            publisher = publishers.get(id(consumer.producer))
            if publisher is not None and consumer.layers is not None:
                self._send_frame(consumer, publisher, frame + index, now + index * TICK_S / 16)
        self.estimator.want(self.person.transport.wanted_bps)
        probe = self.estimator.probe(int(now * 1e6) + 1)
        if probe is not None:
            cluster, rate_bps, size = probe
            for index in range(-(-size // 1000)):
                self._send(now + index * 8000 / rate_bps, 1000, cluster)
        self._hear(now)

    def _send_frame(self, consumer: FakeConsumer, publisher: Publisher, frame: int, at: float) -> None:
        assert consumer.layers is not None
        wanted, temporal = min(consumer.layers[0], len(RATES_BPS) - 1), consumer.layers[1]
        flowing = [index for index, sends in enumerate(publisher.sends) if sends]
        below = [index for index in flowing if index <= wanted]
        if not flowing:
            return
        target = below[-1] if below else flowing[0]
        is_key = consumer.encoding != target
        if is_key:
            consumer.switch(target)
        layer, share = FRAMES[frame % len(FRAMES)]
        if layer <= temporal or is_key:
            size = RATES_BPS[target] * TICK_S / 8 * (KEY_FRAME if is_key else share)
            count = -(-int(size) // PACKET_BYTES)
            for index in range(count):
                self._send(at + index * 0.0005, max(60, int(size / count)), 0)

    def _send(self, at: float, size: int, probe: int) -> None:
        arrives, waits_s = self.path.send(at, size)
        self.flying.append(Sent(at, arrives, size, probe))
        self.queued_s.append(waits_s)
        if probe:
            self.probe_bits += size * 8
        else:
            self.sent_bits[-1] += size * 8

    def _hear(self, now: float) -> None:
        if now - self.told_at >= FEEDBACK_S:
            self.told_at = now
            came = [
                each.at
                for each in self.flying
                if (each.arrives is not None and each.arrives <= now)
                or (each.arrives is None and each.at + LOSS_KNOWN_AFTER_S < now)
            ]
            if came:
                last = max(came)
                told = [
                    each for each in self.flying if each.at <= last and (each.arrives is None or each.arrives <= now)
                ]
                self.flying = [each for each in self.flying if each not in set(told)]
                self._told.append((now + self.path.delay_s, sorted(told, key=lambda each: each.at)))
        while self._told and self._told[0][0] <= now:
            results = [
                (int(at * 1e6), None if arrives is None else int(arrives * 1e6) + 5_000_000, size, probe)
                for at, arrives, size, probe in self._told.pop(0)[1]
            ]
            estimate_bps = self.estimator.feedback(results, int(now * 1e6) + 1)
            self.is_news = self.is_news or abs(estimate_bps - self.estimate_bps) > 0.03 * self.estimate_bps
            if self.is_news:
                self.estimate_bps = estimate_bps


class Classroom:
    """Everybody publishes a camera and watches as many as there are video slots."""

    def __init__(self, limits_bps: list[float], *, watched: int, height: int = 360, publishers: int = 1000) -> None:
        slots = [("10", "audio"), *((str(20 + index), "video") for index in range(watched))]
        self.stage = Stage()
        self.publishers: dict[int, Publisher] = {}
        self.downlinks: list[Downlink] = []
        for index, limit_bps in enumerate(limits_bps):
            offer = sdk_offer(slots=slots, extensions=TRANSPORT_WIDE)
            person = self.stage.joins(f"person {index}", slots=slots, offer=offer)
            if index < publishers:
                person.publishes(Source.CAMERA, height=HEIGHTS[-1])
                person.producer(Source.CAMERA).change(codec="VP8", heights=HEIGHTS)
                self.stage.drain()
                publisher = Publisher(person)
                self.publishers[id(publisher.producer)] = publisher
            self.downlinks.append(Downlink(person, Path(limit_bps, seed=index)))
        for downlink in self.downlinks:
            downlink.person.transport.estimate = None
            self.wants(downlink, height)
        self._frame = 0
        self._estimates_due = 0.0
        self._rooms_due = 0.0

    def wants(self, downlink: Downlink, height: int) -> None:
        mids = [mid for mid in downlink.person.slots if mid != "10"]
        downlink.person.says(View(slots=[ViewRequest(mid=mid, height=height) for mid in mids]))

    def run(self, seconds: int) -> None:
        """Let time go by."""
        for _ in range(seconds):
            for downlink in self.downlinks:
                downlink.sent_bits.append(0)
            for _ in range(round(1 / TICK_S)):
                self.tick()

    def tick(self) -> None:
        """Let a frame go by."""
        self._frame += 1
        now = self.stage.now = self._frame * TICK_S
        for publisher in self.publishers.values():
            publisher.tick(now)
        for downlink in self.downlinks:
            downlink.tick(self._frame, self.publishers, now)
        if now >= self._estimates_due:
            self._estimates_due = now + ESTIMATES_S
            self._estimate(now)
        due = self.stage.room.next_timeout()
        if due is not None and due <= now:
            self.stage.room.handle_timeout(now=now)
        self.stage.drain()

    def _estimate(self, now: float) -> None:
        assert self.stage.router.on_estimates is not None
        news = [each for each in self.downlinks if each.is_news]
        for downlink in news:
            downlink.is_news = False
            downlink.person.transport.estimate = PathEstimate(downlink.estimate_bps, 0.0, 0.1)
        if news:
            self.stage.router.on_estimates(
                [(each.person.transport, PathEstimate(each.estimate_bps, 0.0, 0.1)) for each in news], now
            )
