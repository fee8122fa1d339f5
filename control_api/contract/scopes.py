"""What an API key may be used for."""

from __future__ import annotations

import enum


class Scope(enum.Enum):
    """What an API key may be used for; each endpoint needs one."""

    ROOMS_READ = "rooms:read"
    """List rooms and look into them."""
    ROOMS_WRITE = "rooms:write"
    """Create, change and end rooms."""
    ROOMS_MODERATE = "rooms:moderate"
    """Decide about people in rooms, send messages into them, and sign tokens that moderate."""
    TOKENS_CREATE = "tokens:create"
    """Sign tokens with which people join rooms."""
    ICE_READ = "ice:read"
    """Get credentials of TURN servers."""
    EVENTS_READ = "events:read"
    """Read the feed of events and the state of webhooks."""
    WEBHOOKS_WRITE = "webhooks:write"
    """Have webhooks delivered again."""
    KEYS_WRITE = "keys:write"
    """List, make, rotate and take away API keys that may do no more than this one."""
    METRICS_READ = "metrics:read"
    """Read the metrics of the server from elsewhere."""
    SERVER_DRAIN = "server:drain"
    """Have the server drain: take no new rooms, and end when all have gone or the time is over."""
