"""The worker's UDP socket: bound, non-blocking, with buffers for a key frame to a whole class."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct

BUFFER_BYTES = 8 * 1024 * 1024  # a 60 kB key frame to 130 viewers; the system may grant less without privileges
TRIES_MAX = 32  # free ports are mostly followed by free ports
_SO_SNDBUFFORCE = 32  # Linux: beyond wmem_max, with CAP_NET_ADMIN
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55  # <asm-generic/socket.h>
_MEMINFO = struct.Struct("9I")
_MEMINFO_DROPS = 8  # <linux/sock_diag.h>


def open_sockets(address: str, port: int, count: int) -> list[socket.socket]:
    """Return sockets bound to as many ports in a row; 0 lets the system choose the first. OSError if one is taken."""
    for tries_left in reversed(range(TRIES_MAX if port == 0 else 1)):
        opened: list[socket.socket] = []
        try:
            for _ in range(count):
                opened.append(open_socket(address, opened[-1].getsockname()[1] + 1 if opened else port))
        except (OSError, OverflowError):
            for each in opened:
                each.close()
            if not tries_left:
                raise
        else:
            return opened
    raise AssertionError("unreachable: the last try returns or raises")


def open_socket(address: str, port: int) -> socket.socket:
    """Return a socket bound to an IP address; port 0 lets the system choose. OSError if the port is taken."""
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        _widen(opened, socket.SO_SNDBUF, _SO_SNDBUFFORCE)
        _widen(opened, socket.SO_RCVBUF, _SO_RCVBUFFORCE)
        opened.bind((address, port))
    except BaseException:
        opened.close()
        raise
    return opened


def count_drops(opened: socket.socket) -> int:
    """Return how many datagrams found the receive buffer full since the socket was opened (as SO_RXQ_OVFL)."""
    memory = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    return int(_MEMINFO.unpack(memory)[_MEMINFO_DROPS]) if len(memory) == _MEMINFO.size else 0


def _widen(opened: socket.socket, option: int, forced: int) -> None:
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)
