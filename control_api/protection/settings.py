"""How many connections may be open, and for how long without a word. Units in the names, reasons below."""

from __future__ import annotations

from dataclasses import dataclass, fields

from control_api.protection.client_address import parse_networks
from media.errors import LocalError


class ConnectionSettingError(LocalError):
    """A limit that cannot work; the message says which."""


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """TCP connections of the HTTP port."""

    head_timeout_s: float = 10.0
    """From the connection to the end of its first request's headers; browsers that connect ahead do so again."""
    keep_alive_s: float = 75.0
    """Kept so long after an answer: longer than the 60 s of proxies, whose requests it would cut off."""
    tls_handshake_timeout_s: float = 5.0
    """From the connection to the end of the TLS handshake; until then this and open files are its only limits."""
    unheard_max: int = 4096
    """Connections that have not sent a whole head yet. Beyond it the oldest gives way: who speaks at once comes in."""
    connections_max: int = 20_000
    """All together, as far as the limit on open files allows."""
    connections_per_address_max: int = 4000
    """Of one address that is neither this computer nor a trusted proxy: some 500 people behind one NAT, each with a
    WebSocket and the six connections that a browser opens for a page.
    """
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose X-Forwarded-For is believed, e.g. "127.0.0.1" for a proxy on this computer."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, int | float) and value <= 0:
                raise ConnectionSettingError(f"{each.name} is {value:g}, expected more than 0")
        try:
            parse_networks(self.trusted_proxies)
        except ValueError as error:
            raise ConnectionSettingError(f"trusted_proxies: {error}") from None
