"""The settings of signalling, with their units and the reasons for the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.join_pace import JoinRates
from signaling.limits import RoomSettings


@dataclass(frozen=True, slots=True)
class SignalingConfig:
    """How patient the server is with one connection, and how much it keeps for it."""

    join_timeout_s: float = 10.0
    """From the upgrade to `join`: a browser needs under a second to make an offer, a slow phone a few."""
    heartbeat_s: float = 15.0
    """A WebSocket ping goes out after so long a silence; without a pong within half of it the client is gone."""
    close_timeout_s: float = 2.0
    """How long a client may take to answer a close frame before the socket is cut."""
    queued_messages_max: int = 1024
    """For one client that does not read: a minute of a very lively class. Beyond, it is closed with 1008."""
    queued_bytes_max: int = 1024 * 1024
    """The same in bytes; must hold one `joined` of a full room (300 participants: about 150 KB)."""
    requests_per_s: float = 50.0
    """What one client may ask for in the long run, in units of `pace.request_units`; beyond, it is read later."""
    requests_burst: float = 400.0
    """What it may ask for at once: two joins with the largest offers."""
    join_rates: JoinRates = field(default_factory=JoinRates)
    room: RoomSettings = field(default_factory=RoomSettings)
    """Of rooms about which nothing else is said."""
