"""One stream that a test peer sends: numbers, header extensions, history for retransmissions, sender reports."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from media.native import rtcp
from media.native.rtp import write_extensions

HISTORY_PACKETS = 128  # of a stream: seconds at the rates of tests
NTP_EPOCH_S = 2208988800  # from 1900 to 1970 (RFC 3550 section 4)

RTP_HEADER = struct.Struct("!BBHII")

Extensions = Sequence[tuple[int, bytes]]


def ntp_time(wallclock: float) -> int:
    """Return UTC seconds as 64 bits of NTP time."""
    return int((wallclock + NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class Unit:
    """One packet to be sent, before it has numbers."""

    payload: bytes
    timestamp: int
    marker: bool


@dataclass(slots=True)
class OutgoingStream:
    """An SSRC with its retransmission SSRC, which is 0 where there is none."""

    payload_type: int
    clock_rate_hz: int
    extensions: Extensions
    """Of every packet: mid, rid, audio level."""
    chance: random.Random
    rtx_payload_type: int | None = None
    rtx_extensions: Extensions = ()
    packets: int = 0
    octets: int = 0
    resent: int = 0
    unanswered: int = 0
    """Numbers asked for that the history did not hold."""
    ssrc: int = field(init=False)
    rtx_ssrc: int = field(init=False)
    number: int = field(init=False)
    """Of the next packet."""
    _rtx_number: int = field(init=False)
    _offset: int = field(init=False)
    _history: dict[int, Unit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ssrc = self.chance.randrange(1, 1 << 32)
        self.rtx_ssrc = self.chance.randrange(1, 1 << 32) if self.rtx_payload_type is not None else 0
        self.number = self.chance.randrange(1 << 15)  # libsrtp mis-guesses a rollover after loss near 65535
        self._rtx_number = self.chance.randrange(1 << 15)
        self._offset = self.chance.randrange(1 << 32)

    def timestamp(self, now: float) -> int:
        """Return the media time of a moment, in RTP clock units."""
        return (self._offset + round(now * self.clock_rate_hz)) & 0xFFFFFFFF

    def packet(self, unit: Unit, transport_extension: tuple[int, bytes]) -> bytes:
        """Return the next RTP packet."""
        number = self.number
        self.number = (number + 1) & 0xFFFF
        self._history[number] = unit
        if len(self._history) > HISTORY_PACKETS:
            del self._history[next(iter(self._history))]
        self.packets += 1
        self.octets += len(unit.payload)
        extensions = [*self.extensions, transport_extension]
        return _build(self.payload_type, number, self.ssrc, unit, extensions, unit.payload)

    def retransmission(self, number: int, transport_extension: tuple[int, bytes]) -> bytes | None:
        """Return the RTX packet of a number (RFC 4588), None if it is forgotten or RTX was not negotiated."""
        unit = self._history.get(number)
        if unit is None or self.rtx_payload_type is None:
            self.unanswered += 1
            return None
        rtx_number = self._rtx_number
        self._rtx_number = (rtx_number + 1) & 0xFFFF
        self.resent += 1
        payload = number.to_bytes(2) + unit.payload
        extensions = [*self.rtx_extensions, transport_extension]
        return _build(self.rtx_payload_type, rtx_number, self.rtx_ssrc, unit, extensions, payload)

    def sender_report(self, *, now: float, wallclock: float) -> bytes:
        """Return a compound packet: SR and CNAME."""
        sender = rtcp.Sender(ntp_time(wallclock), self.timestamp(now), self.packets, self.octets)
        return rtcp.write_sender_report(self.ssrc, sender) + rtcp.write_sdes_cname(self.ssrc, b"peer")


def _build(payload_type: int, number: int, ssrc: int, unit: Unit, extensions: Extensions, payload: bytes) -> bytes:
    second = payload_type | unit.marker << 7
    header = RTP_HEADER.pack(0x90, second, number, unit.timestamp, ssrc)
    return header + write_extensions(list(extensions)) + payload
