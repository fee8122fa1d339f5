"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) as translations onto the rooms: HTTP in, the room's messages out."""

from __future__ import annotations

from signaling.whip.config import IceServer, WhipConfig
from signaling.whip.server import WhipServer

__all__ = ["IceServer", "WhipConfig", "WhipServer"]
