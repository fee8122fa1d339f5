"""Twin of transport-wide feedback: a recorder that keeps every arrival, and an encoder and a decoder of the message.

The decoder knows nothing of the encoder's choices: it takes any packet of draft-holmer-rmcat-transport-wide-cc-
extensions-01 section 3.1 and raises ValueError for one that is not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import groupby

WINDOW = 1024
TICKS_PER_REFERENCE = 256


@dataclass(frozen=True)
class Feedback:
    """A feedback message; `ticks` are arrivals in units of 250 us from time 0, None for what did not come."""

    sender_ssrc: int
    media_ssrc: int
    base: int
    reference: int
    feedback_count: int
    ticks: tuple[int | None, ...]


def decode(packet: bytes) -> Feedback:
    if len(packet) < 20 or len(packet) % 4:
        raise ValueError(f"A feedback of {len(packet)} bytes")
    first, packet_type, length, sender, media, base, count, word = struct.unpack_from("!BBHIIHHI", packet)
    if (first, packet_type, 4 * (length + 1)) != (0x8F, 205, len(packet)):
        raise ValueError("No transport-wide feedback without padding")
    symbols, position = _decode_symbols(packet, count)
    reference = word >> 8
    tick = reference * TICKS_PER_REFERENCE
    ticks: list[int | None] = []
    for symbol in symbols:
        if symbol == 0:
            ticks.append(None)
            continue
        tick += int.from_bytes(packet[position : position + symbol], "big", signed=symbol == 2)
        position += symbol
        ticks.append(tick)
    if not 0 <= len(packet) - position < 4 or any(packet[position:]):
        raise ValueError(f"{len(packet) - position} bytes are left, expected at most 3 zeros")
    return Feedback(sender, media, base, reference, word & 0xFF, tuple(ticks))


def _decode_symbols(packet: bytes, count: int) -> tuple[list[int], int]:
    """Return the status symbols and where the deltas begin."""
    symbols: list[int] = []
    position = 20
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", packet, position)
        position += 2
        match f"{chunk:016b}":
            case bits if bits[0] == "0":
                symbols += [int(bits[1:3], 2)] * int(bits[3:], 2)
            case bits if bits[1] == "0":
                symbols += [int(bit) for bit in bits[2:]]
            case bits:
                symbols += [int(bits[at : at + 2], 2) for at in range(2, 16, 2)]
    if 3 in symbols[:count] or any(symbols[count:]):
        raise ValueError("A reserved symbol, or symbols beyond the status count")
    return symbols[:count], position


def symbol_of(delta: int | None) -> int:
    """Return the status symbol, which is also the number of bytes of the delta."""
    if delta is None:
        return 0
    return 1 if 0 <= delta <= 255 else 2


def next_chunk(symbols: list[int]) -> tuple[int, int]:
    """Return a chunk for the first of these symbols and how many it tells: our own packing rule."""
    symbol, run = next((key, len(list(group))) for key, group in groupby(symbols))
    two_bits = 2 in symbols[:14]
    if run == len(symbols) or run >= 14 or (run >= 7 and two_bits):
        return symbol * 8192 + run, run
    told = symbols[:7] if two_bits else symbols[:14]
    width = 2 if two_bits else 1
    bits = "".join(f"{symbol:0{width}b}" for symbol in told).ljust(14, "0")
    return int(f"1{width - 1}{bits}", 2), len(told)


def encode(ticks: list[int | None], capacity: int) -> tuple[bytes, int, int]:
    """Return chunks and deltas of as many statuses as fit, their number, and the reference time."""
    reference = next(tick for tick in ticks if tick is not None) // TICKS_PER_REFERENCE
    previous = reference * TICKS_PER_REFERENCE
    deltas: list[int | None] = []
    for tick in ticks:
        delta = None if tick is None else tick - previous
        if delta is not None and not -32768 <= delta <= 32767:
            break
        previous = previous if tick is None else tick
        deltas.append(delta)
    symbols = [symbol_of(delta) for delta in deltas]
    chunks: list[int] = []
    told = 0
    room = capacity // 4 * 4 - 20
    while told < len(symbols):
        chunk, number = next_chunk(symbols[told:])
        left = room - 2 * len(chunks) - sum(symbols[:told]) - 2
        if chunk < 0x8000 and chunk >= 0x2000:  # a run of arrivals may be cut
            number = min(number, left // symbols[told])
            chunk = chunk & 0x6000 | max(number, 0)
        if number <= 0 or sum(symbols[told : told + number]) > left:
            break
        chunks.append(chunk)
        told += number
    body = b"".join(chunk.to_bytes(2, "big") for chunk in chunks)
    for delta, symbol in zip(deltas[:told], symbols[:told], strict=True):
        body += b"" if delta is None else delta.to_bytes(symbol, "big", signed=symbol == 2)
    return body + bytes(-len(body) % 4), told, reference


class ArrivalRecorder:
    def __init__(self) -> None:
        self.arrivals: dict[int, int] = {}  # tick by extended number, within the window
        self.waiting: set[int] = set()
        self.highest: int | None = None
        self.start = 0
        self.stray: int | None = None
        self.total = self.duplicates = self.strays = self.overrun = self.built = 0

    def received(self, sequence_number: int, now_us: int) -> None:
        if self.highest is None:
            extended = self._begin(65536 + sequence_number)
        else:
            distance = (sequence_number - self.highest + 32768) % 65536 - 32768
            extended = self.highest + distance
            if extended <= self.highest - WINDOW:
                if sequence_number != self.stray:
                    self.stray = (sequence_number + 1) % 65536
                    self.strays += 1
                    return
                extended = self._begin((self.highest // 65536 + 2) * 65536 + sequence_number)
            elif extended in self.arrivals:
                self.duplicates += 1
                return
        self.total += 1
        self.arrivals[extended] = now_us // 250
        self.waiting.add(extended)
        self.start = min(self.start, extended)
        self._slide(max(extended, self.highest or extended))

    def _begin(self, first: int) -> int:
        self.overrun += len(self.waiting)
        self.arrivals, self.waiting = {}, set()
        self.highest = self.start = first
        self.stray = None
        return first

    def _slide(self, highest: int) -> None:
        self.highest = highest
        oldest = highest - WINDOW + 1
        self.start = max(self.start, oldest)
        self.arrivals = {number: tick for number, tick in self.arrivals.items() if number >= oldest}
        self.overrun += sum(number < oldest for number in self.waiting)
        self.waiting = {number for number in self.waiting if number >= oldest}

    def build(self, sender_ssrc: int, media_ssrc: int, capacity: int = 1200) -> bytes:
        if not self.waiting or capacity < 40:
            return b""
        assert self.highest is not None
        ticks = [self.arrivals.get(number) for number in range(self.start, self.highest + 1)]
        body, told, reference = encode(ticks, capacity)
        length = (20 + len(body)) // 4 - 1
        word = reference % (1 << 24) << 8 | self.built % 256
        start = self.start % 65536
        header = struct.pack("!BBHIIHHI", 0x8F, 205, length, sender_ssrc, media_ssrc, start, told, word)
        self.built += 1
        self.waiting -= set(range(self.start, self.start + told))
        self.start += told
        return header + body

    def pending(self) -> int:
        return len(self.waiting)

    def counters(self) -> tuple[int, int, int, int]:
        return self.total, self.duplicates, self.strays, self.overrun
