"""STUN and TURN servers, as a browser's RTCPeerConnection takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from control_api.contract.shapes import Answer, Request


class IceServer(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """An RTCIceServer of the browsers' API."""

    urls: tuple[str, ...]
    """E.g. `turn:turn.example.org?transport=udp`."""
    username: str | None = None
    """Of TURN servers."""
    credential: str | None = None
    """The password to it."""


class IceServers(Answer, frozen=True, kw_only=True):
    """What somebody may use; empty where no server was set up."""

    ice_servers: tuple[IceServer, ...]
    """For `new RTCPeerConnection({iceServers})`."""
    ttl_s: int
    """How long the credentials open a relay, in seconds; one that is open stays so."""
    expires_at: datetime
    """When that is over, UTC."""


class IceQuery(Request, frozen=True, kw_only=True):
    """For whom credentials are made."""

    name: Annotated[str, Meta(min_length=1, max_length=128, examples=["student-17"])] = "server"
    """Somebody's identity: the TURN server's quotas count each name by itself, and see a pseudonym of it."""
