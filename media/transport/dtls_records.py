"""The clear part of DTLS 1.2 records (RFC 6347 section 4.1): flights cut into datagrams, arrivals screened."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass

RECORD_HEADER_BYTES = 13
HANDSHAKE_HEADER_BYTES = 12

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23

CLIENT_HELLO = 1

RECORD_BYTES_MAX = (1 << 14) + 2048  # RFC 5246 section 6.2.3
HANDSHAKE_MESSAGE_BYTES_MAX = 16384  # a browser's certificate message has 320 bytes; OpenSSL would reserve 100 KiB

_VERSION_MAJOR = 0xFE
_HEADER = struct.Struct("!BBBH6sH")


class Screening(enum.Enum):
    """What a look at the headers says about a datagram."""

    CLIENT_HELLO = "client_hello"
    """Begins with (a fragment of) a ClientHello in the clear."""
    CLEAR_HANDSHAKE = "clear_handshake"
    """Begins with another handshake record in the clear."""
    OTHER = "other"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Record:
    """Where one record lies in its datagram, and its header."""

    content_type: int
    epoch: int
    sequence_number: bytes
    """48 bits."""
    start: int
    end: int
    """One behind its last byte."""


def walk_records(data: bytes) -> Iterator[Record]:
    """Yield whole records in order; stop at the first that is cut off or no record. `start` runs without gaps."""
    position, size = 0, len(data)
    while position + RECORD_HEADER_BYTES <= size:
        content_type, major, _, epoch, sequence_number, length = _HEADER.unpack_from(data, position)
        end = position + RECORD_HEADER_BYTES + length
        if not CHANGE_CIPHER_SPEC <= content_type <= APPLICATION_DATA or major != _VERSION_MAJOR:
            return
        if length > RECORD_BYTES_MAX or end > size:
            return
        yield Record(content_type, epoch, sequence_number, position, end)
        position = end


def screen_datagram(data: bytes) -> Screening:
    """Return whether a datagram is whole records, all of sane size, and how it begins; any bytes will do."""
    verdict: Screening | None = None
    end = 0
    for record in walk_records(data):
        end = record.end
        message_type: int | None = None
        if record.content_type == HANDSHAKE and record.epoch == 0:
            body = data[record.start + RECORD_HEADER_BYTES : record.end]
            if len(body) < HANDSHAKE_HEADER_BYTES or int.from_bytes(body[1:4], "big") > HANDSHAKE_MESSAGE_BYTES_MAX:
                return Screening.MALFORMED
            message_type = body[0]
        if verdict is None:
            if message_type is None:
                verdict = Screening.OTHER
            else:
                verdict = Screening.CLIENT_HELLO if message_type == CLIENT_HELLO else Screening.CLEAR_HANDSHAKE
    if verdict is None or end != len(data):
        return Screening.MALFORMED
    return verdict


class ClearRecordNumbers:
    """Numbers the records of epoch 0 anew, in order of passing, for one direction.

    Outward, it makes a flight that is sent again new to a peer who took its records but could not use them then, and
    whose replay window would refuse them now. Inward, it takes forged numbers the power to move OpenSSL's window past
    the honest ones. Epoch 0 is neither encrypted nor authenticated: its numbers protect nothing (RFC 6347 section
    4.1.2.6 leaves replay detection to us), and the handshake has its own message numbers.
    """

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0

    def renumber(self, datagram: bytes) -> bytes:
        """Return the datagram with new numbers in its records of epoch 0; others stay as they are."""
        renumbered: bytearray | None = None
        for record in walk_records(datagram):
            if record.epoch == 0:
                if renumbered is None:
                    renumbered = bytearray(datagram)
                renumbered[record.start + 5 : record.start + 11] = self._next.to_bytes(6, "big")
                self._next += 1
        return datagram if renumbered is None else bytes(renumbered)


def split_into_datagrams(stream: bytes, mtu_bytes: int) -> tuple[bytes, ...]:
    """Pack the records that OpenSSL wrote one behind the other into datagrams of at most `mtu_bytes`.

    A record is never cut: the peer drops a datagram that ends within one. `stream` is whole records.
    """
    datagrams: list[bytes] = []
    start = end = 0
    for record in walk_records(stream):
        if record.end - start > mtu_bytes and end > start:
            datagrams.append(stream[start:end])
            start = end
        end = record.end
    assert end == len(stream), "OpenSSL wrote something that is no DTLS record"
    if end > start:
        datagrams.append(stream[start:end])
    return tuple(datagrams)
