"""What the operator may choose for a media server, each setting declared once, here or in the part that it is for.

A field of a dataclass is a setting: `configuration/` finds it by walking from `ServerSettings`, and so it can stand in
the file under its section, in the environment (HALQA_SECTION_FIELD) and behind `--set section.field=`. A new section:
a frozen dataclass with a default for every field, that refuses in `__post_init__` what cannot work, and a field of
`ServerSettings`. A field with `repr=False` is a secret. Short flags are listed in `flags.py`; the manual is
`control_api/settings.md`.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from control_api.ice_servers import IceSettings
from control_api.journal.settings import JournalSettings
from control_api.protection.settings import ConnectionSettings
from control_api.rate_limits import RateLimitSettings
from control_api.webhooks.settings import WebhookSettings
from media.errors import LocalError
from media.transport.transport import TransportConfig
from signaling.config import SignalingConfig
from signaling.whip import WhipConfig

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

HTTP_HOST_DEFAULT: Final = "127.0.0.1"  # this computer only: a browser here, or the reverse proxy that adds HTTPS
HTTP_PORT_DEFAULT: Final = 8080
MEDIA_ADDRESS_DEFAULT: Final = "0.0.0.0"  # media comes straight from the clients, past any HTTP proxy
UDP_PORT_DEFAULT: Final = 40_000
PORT_MAX: Final = 65_535
WORKERS_MAX: Final = 256  # one thread a core; more than any machine that we know of has
DRAIN_TIMEOUT_S_DEFAULT: Final = 5.0  # `docker stop` kills after 10 s, and closing takes up to two more
DRAIN_TIMEOUT_S_MAX: Final = 86_400.0
ZERO_ALLOWED: Final = frozenset({"resume_window_s", "empty_timeout_s"})
"""Times of signalling that may be nothing at all; every other number of it must be above zero."""

RANGES: Final = {
    "addresses_max": (1, 16),  # the data plane's rows have room for so many
    "mtu_bytes": (256, 1500),  # below, OpenSSL refuses to fragment; above, no Ethernet carries it
    "message_bytes_max": (548, 1500),
}
"""Of settings of the engine that something below cannot do with more or less."""


class SettingsError(LocalError):
    """A setting that cannot work; the message says which and why."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where HTTP and WebSocket are served."""

    host: str = HTTP_HOST_DEFAULT
    """IP address; `0.0.0.0` for all of IPv4, `::` for all of both."""
    port: int = HTTP_PORT_DEFAULT
    """0 takes any free port."""
    tls_certificate: Path | None = None
    """PEM file with the chain. Without one the server speaks plain HTTP, which browsers trust from localhost only."""
    tls_key: Path | None = None
    """PEM file with its private key, without a pass phrase. Both files are read again when they change."""

    def __post_init__(self) -> None:
        _check_address("HTTP host", self.host)
        _check_port("HTTP port", self.port)
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsError("HTTPS needs both a certificate and its key, only one was given")


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Where and how the engine sends and receives."""

    bind_address: str = MEDIA_ADDRESS_DEFAULT
    """IP address for media; the default is all of IPv4, `::` is all of both."""
    udp_port: int = UDP_PORT_DEFAULT
    """Port of the first worker; each further worker takes the next one. 0 takes free ports."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Data-plane threads; rooms are spread over them. One a core by default."""
    advertise: tuple[str, ...] = ()
    """Addresses told to clients, e.g. the public one behind NAT; empty: those of this host."""
    together_max: int = 64
    """Participants of one room on one worker; those of a larger room are spread over all, at the cost of copies."""
    gso: bool | None = None
    """Whether equal packets to one viewer leave as one message (UDP GSO); none: where a trial at start says it pays."""
    transport: TransportConfig = field(default_factory=TransportConfig)

    def __post_init__(self) -> None:
        _check_address("media address", self.bind_address)
        _check_port("UDP port", self.udp_port)
        if not 1 <= self.workers <= WORKERS_MAX:
            raise SettingsError(f"number of workers is {self.workers}, expected 1 to {WORKERS_MAX}")
        if self.together_max < 0:
            raise SettingsError(f"media.together_max is {self.together_max}, expected 0 or more")
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
class DrainSettings:
    """How a server that is to end gives running classes time."""

    timeout_s: float = DRAIN_TIMEOUT_S_DEFAULT
    """From SIGTERM on. Who stops the server must wait for longer (systemd 90 s, Kubernetes 30 s by default)."""
    request_timeout_s: float = 3600.0
    """The same for `POST /drain` that names no time: an hour ends most lessons."""

    def __post_init__(self) -> None:
        for name, value in (("timeout_s", self.timeout_s), ("request_timeout_s", self.request_timeout_s)):
            if not 0 <= value <= DRAIN_TIMEOUT_S_MAX:
                raise SettingsError(f"drain {name} is {value:g}, expected 0 to {DRAIN_TIMEOUT_S_MAX:g} seconds")


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Who may read `GET /metrics`."""

    readers: Literal["local", "key", "all"] = "local"
    """"local": this computer without a key (unless a proxy passed the request on), everybody else with an API key that
    has the scope `metrics:read`; "key": nobody without such a key; "all": everybody who reaches the port.
    """


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """When `GET /readyz` says that new rooms should go elsewhere. Each limit has a gap, so that it does not flap."""

    loop_lag_unready_s: float = 0.5
    """Mean lag of the event loop over ten seconds from which on it is not ready: joins take seconds then."""
    loop_lag_ready_s: float = 0.1
    """Below this it is ready again."""
    udp_check_s: float = 5.0
    """How often each worker is asked by UDP whether it answers; three times no answer is not ready."""

    def __post_init__(self) -> None:
        if not 0 < self.loop_lag_ready_s < self.loop_lag_unready_s:
            raise SettingsError(
                f"loop_lag_ready_s is {self.loop_lag_ready_s:g} and loop_lag_unready_s {self.loop_lag_unready_s:g}, "
                "expected the first above zero and below the second"
            )
        if self.udp_check_s <= 0:
            raise SettingsError(f"udp_check_s is {self.udp_check_s:g}, expected more than 0")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """What is less important is left out. At `info` a thing that began or ended is a line, at `debug` each decision."""
    format: Literal["auto", "text", "json"] = "auto"
    """"auto": text for a terminal, else a JSON object a line."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One media server."""

    data: Path
    """Folder for what must outlive a restart: API keys, the event journal, how far webhooks have got."""
    http: HttpSettings = field(default_factory=HttpSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    signaling: SignalingConfig = field(default_factory=SignalingConfig)
    whip: WhipConfig = field(default_factory=WhipConfig)
    ice: IceSettings = field(default_factory=IceSettings)
    connections: ConnectionSettings = field(default_factory=ConnectionSettings)
    rate_limits: RateLimitSettings = field(default_factory=RateLimitSettings)
    drain: DrainSettings = field(default_factory=DrainSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    logs: LogSettings = field(default_factory=LogSettings)

    def __post_init__(self) -> None:
        transport = self.media.transport
        for section in (self.signaling, self.signaling.room, self.whip, transport, transport.ice, transport.dtls):
            _check_positive(section)


def _check_positive(section: DataclassInstance) -> None:
    """Refuse numbers that no limit or time can be; the dataclasses of the packages below only say what they mean."""
    for each in fields(section):
        value = getattr(section, each.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        least, most = RANGES.get(each.name, (0, value))
        if not least <= value <= most:
            raise SettingsError(f"{each.name} is {value:g}, expected {least} to {most}")
        if value < 0 or (value == 0 and each.name not in ZERO_ALLOWED):
            expected = "0 or more" if each.name in ZERO_ALLOWED else "more than 0"
            raise SettingsError(f"{each.name} is {value:g}, expected {expected}")


def _check_address(what: str, address: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise SettingsError(f"{what} {address!r} is not an IP address") from None


def _check_port(what: str, port: int) -> None:
    if not 0 <= port <= PORT_MAX:
        raise SettingsError(f"{what} is {port}, expected 0 to {PORT_MAX}")
