"""Limits of the WebSocket."""

from __future__ import annotations

from dataclasses import dataclass

from lms.errors import SettingsError


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """The WebSocket `/api/v1/ws`."""

    connections_per_user: int = 10
    """Devices and tabs of one person; one more is refused (4409)."""
    connections: int = 10_000
    """Of one process; one more is refused with 503. Some 100 KiB each."""
    auth_timeout_s: float = 10.0
    """For the first message to come."""
    heartbeat_s: float = 25.0
    """Between pings; who answers none is gone. Less than the minute after which proxies cut what is silent."""
    queued_messages: int = 512
    """Left unread by a client; one more and it is closed (4408)."""
    queued_bytes: int = 1 << 20
    """Likewise."""
    rooms: int = 300
    """That one connection listens to at a time; those of two people come by themselves."""
    replayed_changes: int = 200
    """Told again in one room to who was away; more is left to HTTP (`gap`)."""
    offline_after_s: float = 5.0
    """Somebody is told to be gone: long enough for a page to be loaded again."""
    checked_every_s: float = 30.0
    """Whether accounts are still in use, and rooms still theirs."""

    def __post_init__(self) -> None:
        for name in ("connections_per_user", "connections", "queued_messages", "queued_bytes", "rooms"):
            if not 1 <= getattr(self, name) <= 1 << 30:
                raise SettingsError(f"live.{name} is {getattr(self, name)}, expected 1 to {1 << 30}")
        if not 1 <= self.replayed_changes <= 1000:
            raise SettingsError(f"live.replayed_changes is {self.replayed_changes}, expected 1 to 1000")
        for name in ("auth_timeout_s", "heartbeat_s", "checked_every_s"):
            if not 0.1 <= getattr(self, name) <= 3600:
                raise SettingsError(f"live.{name} is {getattr(self, name):g}, expected 0.1 to 3600")
        if not 0 <= self.offline_after_s <= 300:
            raise SettingsError(f"live.offline_after_s is {self.offline_after_s:g}, expected 0 to 300")
