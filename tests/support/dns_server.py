"""A small DNS server on 127.0.0.1, by UDP: it knows the TXT records of one test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from lms.organizations.settings import HostSettings

TTL_S = 60
STRING_BYTES_MAX = 255  # RFC 1035 section 3.3: longer values are several strings


class DnsServer(asyncio.DatagramProtocol):
    """Answers like a recursive nameserver."""

    def __init__(self) -> None:
        self.texts: dict[str, Sequence[str]] = {}
        """Values by name; a name without any is there and has no TXT record."""
        self.aliases: dict[str, str] = {}
        self.failing: dict[str, dns.rcode.Rcode | None] = {}
        """Names that are answered with an error; None: with nothing at all."""
        self.asked: list[str] = []
        self.port = 0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, source: Any) -> None:
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        if name in self.failing and self.failing[name] is None:
            return
        self._transport.sendto(self._answer(question, name).to_wire(), source)

    @property
    def settings(self) -> HostSettings:
        """Have it asked."""
        return HostSettings(nameservers=(f"127.0.0.1:{self.port}",), timeout_s=5.0)

    def _answer(self, question: Any, name: str) -> Any:
        answer = dns.message.make_response(question, recursion_available=True)
        failure = self.failing.get(name)
        if failure is not None:
            answer.set_rcode(failure)
            return answer
        if name in self.aliases:
            answer.answer.append(dns.rrset.from_text(f"{name}.", TTL_S, "IN", "CNAME", f"{self.aliases[name]}."))
            name = self.aliases[name]
        if name not in self.texts:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif self.texts[name]:
            records = [_quoted(value) for value in self.texts[name]]
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", TTL_S, "IN", "TXT", records))
        return answer


def _quoted(value: str) -> str:
    pieces = [value[start : start + STRING_BYTES_MAX] for start in range(0, len(value), STRING_BYTES_MAX)]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces or [""])


@asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    """Run it on a free port."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(DnsServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
        await asyncio.sleep(0)
