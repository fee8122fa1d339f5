"""Tracks of a room: cameras, microphones and screens."""

from __future__ import annotations

from typing import Literal

from control_api.contract.shapes import Answer
from signaling.identifiers import Role, Source


class Track(Answer, frozen=True, kw_only=True):
    """One publication of one participant."""

    id: str
    participant: str
    """Whose it is."""
    source: Source
    kind: Literal["audio", "video"]
    muted: bool
    codec: str | None
    """Null until the first packet told it."""
    width: int | None
    """In pixels; null if not known, or sound."""
    height: int | None
    encodings: tuple[str, ...]
    """The `rid`s of simulcast, lowest first; empty if there is one encoding."""
    audience: tuple[Role, ...] | None
    """The roles to which alone it is sent; null: to everybody."""


class TrackList(Answer, frozen=True, kw_only=True):
    """All tracks of a room, oldest first."""

    tracks: tuple[Track, ...]
