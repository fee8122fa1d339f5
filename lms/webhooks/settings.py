"""What the operator may choose for webhooks."""

from __future__ import annotations

from dataclasses import dataclass

from lms.errors import SettingsError


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """How other programs are told."""

    allow_private_addresses: bool = False
    """Whether receivers may be in this network; else a school could have the service reach what only it reaches."""
    allow_plain_http: bool = False
    """Whether receivers may be without HTTPS: then everybody on the way reads what they are told."""
    timeout_s: float = 10.0
    """For a receiver's answer; one that needs longer should take the events first and work afterwards."""
    give_up_s: float = 86_400.0
    """Events that are older become dead letters when their delivery fails again: they wait for a replay."""
    receivers: int = 20
    """Webhooks of one organization at most."""

    def __post_init__(self) -> None:
        if not 0 < self.timeout_s <= 30:
            raise SettingsError(f"webhooks.timeout_s is {self.timeout_s:g}, expected more than 0, at most 30")
        if not 60 <= self.give_up_s <= 2_592_000:
            raise SettingsError(f"webhooks.give_up_s is {self.give_up_s:g}, expected 60 to 2592000")
        if not 0 <= self.receivers <= 1000:
            raise SettingsError(f"webhooks.receivers is {self.receivers}, expected 0 to 1000")
