"""The settings of WHIP and WHEP, with their units and the reasons for the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server that clients are told of in a Link header."""

    url: str
    """E.g. "turn:turn.example.org?transport=udp"."""
    username: str = ""
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WhipConfig:
    """What one client may take of the server."""

    body_bytes_max: int = 64 * 1024
    """Of an offer or a fragment: browsers offer 8 KB for two sections, 40 KB for a wall of viewers' sections."""
    body_timeout_s: float = 10.0
    """For a body to arrive: an offer fits a few packets."""
    resources_per_person_max: int = 8
    """Streams that one identity may have open in one room: some screens of one viewer, and those about to time out."""
    resources_max: int = 4096
    """Of the whole server: more than a worker can feed."""
    slots_max: int = 16
    """Sections that one viewer may offer."""
    retry_after_s: int = 5
    """When to ask again for a room that nobody is in yet."""
    reply_timeout_s: float = 5.0
    """For the room's own answer, which takes one turn of the event loop; later means that we are ill."""
