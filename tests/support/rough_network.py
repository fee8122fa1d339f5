"""A network that breaks when a test says so: a TCP proxy for the WebSocket, a UDP path for the media."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from media.rtp.parameters import Address


class TcpProxy:
    """Listens on 127.0.0.1 and passes bytes on, as long as it is not cut."""

    def __init__(self, port: int) -> None:
        """`port`: of the server, on 127.0.0.1."""
        self._server_port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self._is_cut = False

    async def start(self) -> str:
        """Return the URL that clients must use."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Reset every connection, and those to come."""
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def restore(self) -> None:
        self._is_cut = False

    async def close(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        self.connections += 1
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        pair = {writer, back_writer}
        self._writers |= pair
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))
        finally:
            for each in pair:
                each.transport.abort()
            self._writers -= pair
            self._tasks.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()
    except (ConnectionError, OSError):
        writer.transport.abort()


class MediaPath:
    """The way of one client's datagrams to the server and back, through a NAT that may forget its mapping."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._front: asyncio.DatagramTransport | None = None
        self._backs: dict[Address, asyncio.DatagramTransport] = {}
        self._is_cut = False
        self.rebindings = 0

    async def start(self) -> int:
        """Return the port of 127.0.0.1 that the client must use instead of the server's."""
        loop = asyncio.get_running_loop()
        self._front, _ = await loop.create_datagram_endpoint(
            lambda: _Port(self._from_client), local_addr=("127.0.0.1", 0)
        )
        port: int = self._front.get_extra_info("sockname")[1]
        self._port = port
        return port

    def cut(self) -> None:
        """Let nothing through, either way."""
        self._is_cut = True

    def restore(self) -> None:
        self._is_cut = False

    def rebind(self) -> None:
        """Forget the mappings: what the client sends next comes from new addresses, and the old ones lead nowhere."""
        for back in self._backs.values():
            back.close()
        self._backs.clear()
        self.rebindings += 1

    def edit(self, answer: str) -> str:
        """Return an answer of the server with its candidates moved to this path."""
        return re.sub(r"(candidate:.* 127\.0\.0\.1) \d+ ", rf"\1 {self._port} ", answer)

    async def close(self) -> None:
        self.cut()
        for transport in (self._front, *self._backs.values()):
            if transport is not None:
                transport.close()
        await asyncio.sleep(0)

    def _from_client(self, data: bytes, client: Address) -> None:
        if self._is_cut:
            return
        back = self._backs.get(client)
        if back is None:
            task = asyncio.ensure_future(self._open(client, data))
            task.add_done_callback(lambda done: done.result())
        else:
            back.sendto(data)

    async def _open(self, client: Address, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        back, _ = await loop.create_datagram_endpoint(
            lambda: _Port(lambda reply, _: self._from_server(reply, client)), remote_addr=self._server
        )
        if self._is_cut or client in self._backs:
            back.close()
            return
        self._backs[client] = back
        back.sendto(data)

    def _from_server(self, data: bytes, client: Address) -> None:
        if self._front is not None and not self._is_cut:
            self._front.sendto(data, client)


class _Port(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, Address], None]) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Whoever closed answers with ICMP: nothing to do."""
