"""What the operator may choose for a media server, checked once at start. Flags and environment are `cli.py`'s."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from control_api.journal.settings import JournalSettings
from control_api.webhooks.settings import WebhookSettings
from media.errors import LocalError

HTTP_HOST_DEFAULT: Final = "127.0.0.1"  # this computer only: a browser here, or the reverse proxy that adds HTTPS
HTTP_PORT_DEFAULT: Final = 8080
MEDIA_ADDRESS_DEFAULT: Final = "0.0.0.0"  # media comes straight from the clients, past any HTTP proxy
UDP_PORT_DEFAULT: Final = 40_000
PORT_MAX: Final = 65_535
WORKERS_MAX: Final = 256  # one thread a core; more than any machine that we know of has


class SettingsError(LocalError):
    """A setting that cannot work; the message says which and why."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where HTTP and WebSocket are served."""

    host: str = HTTP_HOST_DEFAULT
    """IP address."""
    port: int = HTTP_PORT_DEFAULT
    """0 takes any free port."""
    tls_certificate: Path | None = None
    """PEM file with the chain. Without one the server speaks plain HTTP, which browsers trust from localhost only."""
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        _check_address("HTTP host", self.host)
        _check_port("HTTP port", self.port)
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsError("HTTPS needs both a certificate and its key, only one was given")


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Where and how the engine sends and receives."""

    bind_address: str = MEDIA_ADDRESS_DEFAULT
    udp_port: int = UDP_PORT_DEFAULT
    """Port of the first worker; each further worker takes the next one. 0 takes free ports."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Data-plane threads; rooms are spread over them. One a core by default."""
    advertise: tuple[str, ...] = ()
    """Addresses told to clients, e.g. the public one behind NAT; empty: those of this host."""

    def __post_init__(self) -> None:
        _check_address("media address", self.bind_address)
        _check_port("UDP port", self.udp_port)
        if not 1 <= self.workers <= WORKERS_MAX:
            raise SettingsError(f"number of workers is {self.workers}, expected 1 to {WORKERS_MAX}")
        last_port = self.udp_port + self.workers - 1
        if last_port > PORT_MAX:
            raise SettingsError(
                f"UDP ports {self.udp_port} to {last_port} for {self.workers} workers end above {PORT_MAX}"
            )
        for address in self.advertise:
            _check_address("advertised address", address)
            if ipaddress.ip_address(address).is_unspecified:
                raise SettingsError(f"advertised address {address} is no address that a client could send to")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One media server."""

    data: Path
    """Folder for what must outlive a restart: API keys, the event journal, how far webhooks have got."""
    http: HttpSettings = field(default_factory=HttpSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)


def _check_address(what: str, address: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise SettingsError(f"{what} {address!r} is not an IP address") from None


def _check_port(what: str, port: int) -> None:
    if not 0 <= port <= PORT_MAX:
        raise SettingsError(f"{what} is {port}, expected 0 to {PORT_MAX}")
