"""Twin of forwarding: no runs, but one entry for every number given to a viewer or kept for a late packet."""

from __future__ import annotations

from dataclasses import dataclass, replace

UNKNOWN_LAYER = 255
HASTE = 3


@dataclass(frozen=True)
class Shift:
    """What is added to a source packet's own values."""

    timestamp: int
    picture: int
    tl0: int
    frame: int
    live: int | None = None
    """Source timestamp before which three units are shown as one."""

    def shown(self, timestamp: int) -> int:
        past = max(0, _signed(self.live - timestamp)) if self.live is not None else 0
        return (timestamp + self.timestamp + past - past // HASTE) & 0xFFFFFFFF


@dataclass(frozen=True)
class Packet:
    source: int
    extended: int
    timestamp: int
    key_frame: bool = False
    temporal_id: int = UNKNOWN_LAYER
    layer_sync: bool = False
    picture_id: int = 0
    tl0: int = 0
    payload_length: int = 1
    frame_number: int = -1


class Forwarder:
    def __init__(self, first: int, clock_rate_hz: int = 90000) -> None:
        self.next = first
        self.clock = clock_rate_hz
        self.target = self.encoding = -1
        self.wanted_layer = self.layer = UNKNOWN_LAYER
        self.interrupted = False
        self.live: int | None = None
        self.shift: Shift | None = None
        self.highest = -1
        self.sent_at_us = 0
        self.last: tuple[int, int, int, int] | None = None  # timestamp, picture, tl0, frame number
        self.frame: tuple[int, bool] | None = None
        self.by_source: dict[tuple[int, int], tuple[int, Shift]] = {}
        self.by_output: dict[int, tuple[int, int]] = {}

    def detach(self) -> None:
        self.target = self.encoding = -1
        self.interrupted = False
        self.frame = self.shift = self.live = None
        self.by_source.clear()
        self.by_output.clear()

    def skip(self, source: int, extended: int) -> None:
        if source != self.encoding or self.interrupted:
            return
        for number in range(self.highest + 1, extended):
            self._give(source, number)
        self.highest = extended

    def forget(self, source: int) -> None:
        self.by_source = {key: value for key, value in self.by_source.items() if key[0] != source}
        self.by_output = {output: key for output, key in self.by_output.items() if key[0] != source}
        self.interrupted = self.interrupted or self.encoding == source

    def late(self, packet: Packet) -> tuple[int, int, int, int, int, bool] | None:
        known = self.by_source.get((packet.source, packet.extended))
        if known is None or packet.payload_length == 0:
            return None
        return self._numbers(packet, *known, switched=False)

    def new(self, packet: Packet, now_us: int, alignment: int | None) -> tuple[int, int, int, int, int, bool] | None:
        starts = packet.source != self.encoding or self.interrupted
        if starts:
            if packet.source != self.target or not packet.key_frame or packet.payload_length == 0:
                return None
            self._start(packet, now_us, alignment)
        else:
            for number in range(self.highest + 1, packet.extended):
                self._give(packet.source, number)
        self.highest = packet.extended
        if packet.payload_length == 0 or self._is_filtered(packet):
            return None
        output = self._give(packet.source, packet.extended)
        assert self.shift is not None
        numbers = self._numbers(packet, output, self.shift, switched=starts)
        frame = (packet.frame_number + self.shift.frame) & 0xFFFF if packet.frame_number >= 0 else None
        previous_frame = self.last[3] if self.last else 0
        self.last = (numbers[1], numbers[2], numbers[3], previous_frame if frame is None else frame)
        self.sent_at_us = now_us
        return numbers

    def pad(self) -> int:
        if self.encoding < 0 or self.interrupted:
            raise ValueError("nothing flows that padding could stand behind")
        output, self.next = self.next, self.next + 1
        return output & 0xFFFF

    def resend(self, number: int) -> tuple[int, int] | None:
        if self.last is None:
            return None
        newest = self.next - 1
        return self.by_output.get(newest - ((newest - number) & 0xFFFF))

    def _give(self, source: int, extended: int) -> int:
        assert self.shift is not None
        output, self.next = self.next, self.next + 1
        self.by_source[source, extended] = (output, self.shift)
        self.by_output[output] = (source, extended)
        return output

    def _numbers(
        self, packet: Packet, output: int, shift: Shift, *, switched: bool
    ) -> tuple[int, int, int, int, int, bool]:
        return (
            output & 0xFFFF,
            shift.shown(packet.timestamp),
            (packet.picture_id + shift.picture) & 0xFFFF,
            (packet.tl0 + shift.tl0) & 0xFF,
            shift.frame & 0xFFFF,
            switched,
        )

    def _start(self, packet: Packet, now_us: int, alignment: int | None) -> None:
        shift = Shift(0, 0, 0, 0)
        if self.last is not None:
            timestamp, picture, tl0, frame = self.last
            step = self.clock // 100
            wall = timestamp + max((now_us - self.sent_at_us) * self.clock // 1_000_000, step)
            chosen = wall
            if self.shift is not None and alignment is not None:
                exact = packet.timestamp + alignment + self.shift.timestamp
                if abs(_signed(exact - wall)) <= self.clock:
                    chosen = timestamp + step if _signed(exact - timestamp) <= 0 else exact
            shift = Shift(
                (chosen - packet.timestamp) & 0xFFFFFFFF,
                picture + 1 - packet.picture_id,
                tl0 + 1 - packet.tl0,
                frame + 1 - packet.frame_number if packet.frame_number >= 0 else 0,
            )
        late_by = (Shift(0, 0, 0, 0, self.live).shown(packet.timestamp) - packet.timestamp) & 0xFFFFFFFF
        self.shift = replace(shift, timestamp=(shift.timestamp - late_by) & 0xFFFFFFFF, live=self.live)
        self.live = None
        self.encoding = packet.source
        self.interrupted = False
        self.frame = None
        self.layer = self.wanted_layer

    def _is_filtered(self, packet: Packet) -> bool:
        if packet.temporal_id == UNKNOWN_LAYER:
            return False
        if self.frame is not None and self.frame[0] == packet.timestamp:
            return self.frame[1]
        if packet.key_frame or self.wanted_layer < self.layer:
            self.layer = self.wanted_layer
        elif self.layer < packet.temporal_id <= self.wanted_layer and packet.layer_sync:
            self.layer = packet.temporal_id
        filtered = packet.temporal_id > self.layer
        self.frame = (packet.timestamp, filtered)
        if filtered:
            assert self.shift is not None
            self.shift = replace(self.shift, picture=self.shift.picture - 1)
        return filtered


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value
