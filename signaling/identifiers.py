"""The names of things in a room: ids that cannot be swapped, and what a track carries."""

from __future__ import annotations

import enum
from typing import NewType

from media.rtp.parameters import MediaKind

ParticipantId = NewType("ParticipantId", str)
"""One stay of one person in one room; a person who joins again gets a new one."""

TrackId = NewType("TrackId", str)
"""One publication; publishing again on the same section gets a new one."""

Identity = NewType("Identity", str)
"""Who somebody is, as the token says it (claim `sub`); unique in a room."""

RoomName = NewType("RoomName", str)
"""A checked room name in Unicode form NFC (see `names.parse_room_name`)."""


class Source(enum.Enum):
    """What a track carries, from the point of view of the people in the room."""

    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN = "screen"
    SCREEN_AUDIO = "screen_audio"

    @property
    def kind(self) -> MediaKind:
        """The kind of section that such a track needs."""
        return MediaKind.VIDEO if self in (Source.CAMERA, Source.SCREEN) else MediaKind.AUDIO


class Role(enum.Enum):
    """What somebody is in a class. It decides what a token grants that does not say more, and who is addressed."""

    TEACHER = "teacher"
    ASSISTANT = "assistant"
    STUDENT = "student"
    OBSERVER = "observer"


class Door(enum.Enum):
    """Who comes into a room; those who moderate, and who was in it already, always do."""

    OPEN = "open"
    WAITING = "waiting"
    """Everybody else waits until a moderator admits them."""
    LOCKED = "locked"


class SlotKind(enum.Enum):
    """What a slot is for."""

    AUDIO = "audio"
    STAGE = "stage"
    """What everybody should look at: the newest screen share, or the first camera."""
    VIDEO = "video"
    SCREEN = "screen"

    @property
    def kind(self) -> MediaKind:
        """The kind of section that such a slot is."""
        return MediaKind.AUDIO if self is SlotKind.AUDIO else MediaKind.VIDEO
