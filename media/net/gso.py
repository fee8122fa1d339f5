"""Does UDP GSO pay here? Tried once at start: a kernel may not know it, a network device may refuse or slow it."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from media.native.udp import AddressList, send_plain

DATAGRAM_BYTES: Final = 1200
DATAGRAMS: Final = 256  # of each measurement: less than a millisecond
TRIES: Final = 5
GAIN_MIN: Final = 0.9  # of the plain cost: below it runs are worth the byte of padding that levels them
_RECEIVE_SECONDS_MAX: Final = 0.5


def gso_pays() -> bool:
    """Return whether a run of datagrams arrives as sent, and costs clearly less than one by one. Takes a few ms."""
    with contextlib.suppress(OSError):
        return _arrives() and _gain() < GAIN_MIN
    return False


def _arrives() -> bool:
    """Send three of one size and a shorter last one over the loopback device and look at what comes."""
    sizes = [DATAGRAM_BYTES] * 3 + [DATAGRAM_BYTES - 1]
    with socket.socket(type=socket.SOCK_DGRAM) as sender, socket.socket(type=socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(_RECEIVE_SECONDS_MAX)
        sent, _ = send_plain(sender.fileno(), AddressList([sink.getsockname()]), sizes, gso=True)
        return sent == len(sizes) and [len(sink.recv(2 * DATAGRAM_BYTES)) for _ in sizes] == sizes


def _gain() -> float:
    """Return the cost of runs as a part of the cost of single datagrams, at best."""
    with socket.socket(type=socket.SOCK_DGRAM) as sender, socket.socket(type=socket.SOCK_DGRAM) as sink:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # full at once, in both measurements
        sink.bind(("127.0.0.1", 0))
        destination, sizes = AddressList([sink.getsockname()]), [DATAGRAM_BYTES] * DATAGRAMS
        plain = min(send_plain(sender.fileno(), destination, sizes)[1] for _ in range(TRIES))
        runs = min(send_plain(sender.fileno(), destination, sizes, gso=True)[1] for _ in range(TRIES))
        return runs / plain
