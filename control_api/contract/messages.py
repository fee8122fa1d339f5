"""Messages of a program into a room."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from control_api.contract.shapes import ParticipantText, Request
from signaling.identifiers import Role


class SendMessage(Request, frozen=True, kw_only=True):
    """A message in the name of the server: everybody who is addressed gets a `message` without `participant`."""

    body: Any
    """Any JSON, at most 16 KiB and 16 levels deep."""
    topic: Annotated[str, Meta(min_length=1, max_length=64)] = "chat"
    """What kind of message it is; clients pass over topics that they do not know."""
    roles: Annotated[tuple[Role, ...], Meta(max_length=8)] = ()
    """To everybody who has one of these roles ..."""
    participants: Annotated[tuple[ParticipantText, ...], Meta(max_length=100)] = ()
    """... or is one of these. Without either, to all."""
