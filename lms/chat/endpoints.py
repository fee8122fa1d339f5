"""All endpoints of chat."""

from __future__ import annotations

from lms.api.endpoint import AnyEndpoint
from lms.chat.message_endpoints import MessageEndpoints
from lms.chat.moderation_endpoints import ModerationEndpoints
from lms.chat.report_endpoints import ReportEndpoints
from lms.chat.room_endpoints import RoomEndpoints
from lms.chat.writing import Writer
from lms.parts import Parts


class ChatEndpoints:
    """Rooms and messages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._writer = Writer(parts.ids, parts.live)

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            *RoomEndpoints(self._parts).endpoints(),
            *MessageEndpoints(self._parts, self._writer).endpoints(),
            *ModerationEndpoints(self._parts).endpoints(),
            *ReportEndpoints(self._parts).endpoints(),
        )
