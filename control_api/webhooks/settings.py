"""What the operator may choose for webhooks: who is told, with which secrets, and how stubbornly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from media.errors import LocalError
from webapi.webhooks.secrets import SECRET_BYTES_MAX, SECRET_BYTES_MIN, SECRET_PREFIX, decode_secret

SECRETS_MAX: Final = 2
"""Two live keys: each delivery is signed with both, so that a receiver may change from one to the other at leisure."""
ENDPOINTS_MAX: Final = 32  # each is a task and up to a batch of events in memory
GIVE_UP_S_DEFAULT: Final = 86_400.0
TIMEOUT_S_DEFAULT: Final = 10.0  # a receiver that needs longer should take the events first and work afterwards
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class WebhookSettingsError(LocalError):
    """A webhook that cannot work; the message says which and why, and never shows a secret."""


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """One receiver."""

    name: str
    """Names the receiver in the API, the logs, and the file that says how far it has got."""
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    """One or two, each `whsec_` and base64 of 24 to 64 bytes."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise WebhookSettingsError(
                f"webhook name {self.name!r} must be 1 to 32 of lower-case letters, digits, hyphen, underscore"
            )
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in {"http", "https"} and parts.hostname is not None and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.username is not None or parts.fragment:
            raise WebhookSettingsError(
                f"URL of webhook {self.name} must be https://host/path, without user or fragment"
            )
        if not 1 <= len(self.secrets) <= SECRETS_MAX:
            raise WebhookSettingsError(f"webhook {self.name} has {len(self.secrets)} secrets, expected 1 or 2")
        for secret in self.secrets:
            _check_secret(self.name, secret)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The secrets as bytes."""
        return tuple(decode_secret(secret) for secret in self.secrets)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """All receivers."""

    endpoints: tuple[WebhookEndpoint, ...] = ()
    """Who is told of events: tables with `name`, `url` and `secrets`."""
    allow_private_addresses: bool = False
    """Deliver also to this host and its private networks. Off, no name can lead us there, whatever DNS says."""
    allow_plain_http: bool = False
    """Events name people; without HTTPS everybody on the way reads them."""
    give_up_s: float = GIVE_UP_S_DEFAULT
    """Events older than this, in seconds, become dead letters when their delivery fails again. A delivery waits for
    its newest event, so that under a long outage some are tried for up to twice as long.
    """
    timeout_s: float = TIMEOUT_S_DEFAULT
    """For a receiver's answer, in seconds."""

    def __post_init__(self) -> None:
        if len(self.endpoints) > ENDPOINTS_MAX:
            raise WebhookSettingsError(f"there are {len(self.endpoints)} webhooks, expected at most {ENDPOINTS_MAX}")
        names = [endpoint.name for endpoint in self.endpoints]
        if len(set(names)) != len(names):
            raise WebhookSettingsError(f"two webhooks have the same name: {', '.join(sorted(names))}")
        for endpoint in self.endpoints:
            if not self.allow_plain_http and urlsplit(endpoint.url).scheme != "https":
                raise WebhookSettingsError(f"webhook {endpoint.name} has no https URL; allow plain HTTP to have it so")
        if self.give_up_s <= 0 or self.timeout_s <= 0:
            raise WebhookSettingsError("times of webhooks must be above 0 s")


def _check_secret(name: str, secret: str) -> None:
    try:
        size = len(decode_secret(secret))
    except ValueError:
        size = 0
    if not SECRET_BYTES_MIN <= size <= SECRET_BYTES_MAX:
        raise WebhookSettingsError(
            f"a secret of webhook {name} is not {SECRET_PREFIX} and base64 of "
            f"{SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes"
        )
