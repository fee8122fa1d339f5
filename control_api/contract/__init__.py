"""What other programs and the control API say to each other: every request and answer as a struct.

The OpenAPI document is made of these structs: docstrings become descriptions, and the string below a field describes
the field. Requests refuse fields that they do not know; answers may gain fields, so clients pass over unknown ones.
"""

from control_api.contract.errors import Error, ErrorAnswer
from control_api.contract.events import EventQuery, FeedEvent
from control_api.contract.ice_servers import IceQuery, IceServer, IceServers
from control_api.contract.keys import CreateKey, Key, KeyList, KeyWithSecret, RotateKey
from control_api.contract.messages import SendMessage
from control_api.contract.participants import (
    Admit,
    Admitted,
    ChangePermissions,
    Move,
    Mute,
    Participant,
    ParticipantList,
    ParticipantQuery,
    Permissions,
    Presence,
    RemoveQuery,
)
from control_api.contract.rooms import (
    BitrateLimits,
    ChangeRoom,
    ControlRecording,
    CreateRoom,
    EndRoomQuery,
    Room,
    RoomDefinition,
    RoomLimits,
    RoomList,
    RoomQuery,
)
from control_api.contract.scopes import Scope
from control_api.contract.tokens import CreateToken, Token
from control_api.contract.tracks import Track, TrackList
from control_api.contract.webhooks import Replaying, WebhookList, WebhookState
from control_api.journal.events import (
    EventsLost,
    Inferred,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantResumed,
    ParticipantSuspended,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
    RoomEnded,
    RoomStarted,
    TrackPublished,
    TrackUnpublished,
)
from signaling.identifiers import Door, Role, Source

__all__ = [
    "Admit",
    "Admitted",
    "BitrateLimits",
    "ChangePermissions",
    "ChangeRoom",
    "ControlRecording",
    "CreateKey",
    "CreateRoom",
    "CreateToken",
    "Door",
    "EndRoomQuery",
    "Error",
    "ErrorAnswer",
    "EventQuery",
    "EventsLost",
    "FeedEvent",
    "IceQuery",
    "IceServer",
    "IceServers",
    "Inferred",
    "Key",
    "KeyList",
    "KeyWithSecret",
    "Move",
    "Mute",
    "Participant",
    "ParticipantJoined",
    "ParticipantLeft",
    "ParticipantList",
    "ParticipantQuery",
    "ParticipantResumed",
    "ParticipantSuspended",
    "Permissions",
    "Presence",
    "RecordingPaused",
    "RecordingResumed",
    "RecordingStarted",
    "RecordingStopped",
    "RemoveQuery",
    "Replaying",
    "Role",
    "Room",
    "RoomDefinition",
    "RoomEnded",
    "RoomLimits",
    "RoomList",
    "RoomQuery",
    "RoomStarted",
    "RotateKey",
    "Scope",
    "SendMessage",
    "Source",
    "Token",
    "Track",
    "TrackList",
    "TrackPublished",
    "TrackUnpublished",
    "WebhookList",
    "WebhookState",
]
