"""What the operator may choose for the LMS, each setting declared once, here or in the part that it is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from lms.access.passwords_settings import PasswordSettings
from lms.access.settings import TokenSettings
from lms.api.limits_settings import LimitsSettings
from lms.api.rate_limits import RateLimitSettings
from lms.database.settings import DatabaseSettings
from lms.errors import SettingsError
from lms.live.settings import LiveSettings
from lms.mail.settings import MailSettings
from lms.operator.settings import OperatorSettings
from lms.organizations.settings import HostSettings
from lms.webhooks.settings import WebhookSettings
from webapi.client_address import parse_networks

HTTP_PORT_DEFAULT: Final = 8090
PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where HTTP is served."""

    host: str = "127.0.0.1"
    """IP address; this computer only, for a browser here or the reverse proxy that adds HTTPS."""
    port: int = HTTP_PORT_DEFAULT
    """0 takes any free port."""
    public_url: str | None = None
    """How people reach it, e.g. `https://school.example.org`: for links in mails, and for cookies, which HTTPS makes
    `Secure`. None: as it is served.
    """
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Who may say in X-Forwarded-For for whom they ask."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= PORT_MAX:
            raise SettingsError(f"http.port is {self.port}, expected 0 to {PORT_MAX}")
        if self.public_url is not None:
            check_origin("http.public_url", self.public_url)
        try:
            parse_networks(self.trusted_proxies)
        except ValueError as error:
            raise SettingsError(f"http.trusted_proxies: {error}") from None


@dataclass(frozen=True, slots=True)
class CorsSettings:
    """Which other pages may use the API from a browser."""

    origins: tuple[str, ...] = ()
    """E.g. `https://front.example.org`; they may send our cookies, too."""

    def __post_init__(self) -> None:
        for origin in self.origins:
            check_origin("cors.origins", origin)


@dataclass(frozen=True, slots=True)
class MediaServerSettings:
    """The media server that classes run on."""

    url: str | None = None
    """E.g. `http://127.0.0.1:8080`; none: classes can be planned, not joined."""
    public_url: str | None = None
    """How browsers reach it; none: like `url`."""
    key: str | None = field(default=None, repr=False)
    """An API key, `ID:SECRET`, as `halqa keys create` prints it."""
    certificate: Path | None = None
    """PEM file with the media server's own certificate, or with who signed it: then that is believed and nothing else,
    whatever host it names. Read at the start. None: what this computer believes.
    """

    def __post_init__(self) -> None:
        for name in ("url", "public_url"):
            if getattr(self, name) is not None:
                check_origin(f"media_server.{name}", getattr(self, name))
        if self.key is not None and ":" not in self.key:
            raise SettingsError("media_server.key has no colon, expected ID:SECRET")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """debug tells why things were decided."""
    format: Literal["auto", "text", "json"] = "auto"
    """auto: text for a terminal, else a JSON object a line."""


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Who may read `/metrics`."""

    readers: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses and networks."""

    def __post_init__(self) -> None:
        try:
            parse_networks(self.readers)
        except ValueError as error:
            raise SettingsError(f"metrics.readers: {error}") from None


@dataclass(frozen=True, slots=True)
class LmsSettings:
    """Everything that can be chosen."""

    data: Path
    """Folder for what must outlive the process: the SQLite database, the secret of tokens, mails as files."""
    http: HttpSettings = field(default_factory=HttpSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    media_server: MediaServerSettings = field(default_factory=MediaServerSettings)
    tokens: TokenSettings = field(default_factory=TokenSettings)
    passwords: PasswordSettings = field(default_factory=PasswordSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    operator: OperatorSettings = field(default_factory=OperatorSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    hosts: HostSettings = field(default_factory=HostSettings)
    cors: CorsSettings = field(default_factory=CorsSettings)
    rate_limits: RateLimitSettings = field(default_factory=RateLimitSettings)
    limits: LimitsSettings = field(default_factory=LimitsSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    logs: LogSettings = field(default_factory=LogSettings)


def check_origin(name: str, text: str) -> None:
    """Raise SettingsError unless a text is scheme, host and perhaps port, and nothing else."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query or "@" in parts.netloc:
        raise SettingsError(f"{name} is {text!r}, expected e.g. https://school.example.org without a path")
