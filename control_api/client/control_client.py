"""Every endpoint of the control API as a method: structs in, structs out, errors as exceptions.

    async with ControlClient("https://media.example.org", "key-1", secret) as control:
        await control.put_room("algebra-7b", RoomDefinition(door=Door.WAITING))
        token = await control.create_token(CreateToken(room="algebra-7b", identity="t1", role=Role.TEACHER))

What may be done twice is tried again when the network or the server fails (`Patience`); methods raise ControlError.
"""

from __future__ import annotations

import base64
import ssl
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import aiohttp

from control_api.client.events import EventPage, follow_events, read_events
from control_api.client.exchange import Exchange
from control_api.client.patience import Patience
from control_api.contract import (
    events,
    ice_servers,
    keys,
    messages,
    operation,
    participants,
    rooms,
    tokens,
    tracks,
    webhooks,
)


class ControlClient:
    """One server, one API key. Use it as a context manager, or `close` it."""

    def __init__(
        self,
        url: str,
        key_id: str,
        secret: str,
        *,
        patience: Patience | None = None,
        http: aiohttp.ClientSession | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`http` is used and not closed, if it is given; a session of its own is made else, which believes `tls`."""
        connector = None if tls is None else aiohttp.TCPConnector(ssl=tls)
        self._own = aiohttp.ClientSession(connector=connector) if http is None else None
        session = http or self._own
        assert session is not None, "there is one of the two"
        credentials = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
        self._exchange = Exchange(url, f"Basic {credentials}", patience or Patience(), session)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections."""
        if self._own is not None:
            await self._own.close()

    # Rooms.

    async def list_rooms(self, query: rooms.RoomQuery | None = None) -> rooms.RoomList:
        """Return a page of rooms, by name."""
        return await self._exchange.ask(rooms.RoomList, "GET", "v1", "rooms", query=query)

    async def all_rooms(self, *, prefix: str | None = None) -> AsyncIterator[rooms.Room]:
        """Yield all rooms, by name."""
        after: str | None = None
        while True:
            page = await self.list_rooms(rooms.RoomQuery(after=after, prefix=prefix))
            for room in page.rooms:
                yield room
            if (after := page.next) is None:
                return

    async def create_room(
        self, room: rooms.CreateRoom | None = None, *, idempotency_key: str | None = None
    ) -> rooms.Room:
        """Create a room; one call makes one room, however often it had to be tried."""
        key = idempotency_key or str(uuid.uuid4())
        body = room or rooms.CreateRoom()
        return await self._exchange.ask(rooms.Room, "POST", "v1", "rooms", body=body, idempotency_key=key)

    async def put_room(self, name: str, room: rooms.RoomDefinition | None = None) -> rooms.Room:
        """Create a room, or make it what it is to be."""
        body = room or rooms.RoomDefinition()
        return await self._exchange.ask(rooms.Room, "PUT", "v1", "rooms", name, body=body)

    async def get_room(self, name: str) -> rooms.Room:
        return await self._exchange.ask(rooms.Room, "GET", "v1", "rooms", name)

    async def change_room(self, name: str, change: rooms.ChangeRoom) -> rooms.Room:
        return await self._exchange.ask(rooms.Room, "PATCH", "v1", "rooms", name, body=change)

    async def control_recording(self, name: str, control: rooms.ControlRecording) -> rooms.Room:
        return await self._exchange.ask(rooms.Room, "POST", "v1", "rooms", name, "recording", body=control)

    async def end_room(self, name: str, query: rooms.EndRoomQuery | None = None) -> None:
        await self._exchange.send("DELETE", "v1", "rooms", name, query=query)

    async def send_message(self, room: str, message: messages.SendMessage) -> None:
        await self._exchange.send("POST", "v1", "rooms", room, "messages", body=message)

    # People in rooms.

    async def list_participants(
        self, room: str, query: participants.ParticipantQuery | None = None
    ) -> participants.ParticipantList:
        """Return a page of those who are in a room, or wait."""
        kind = participants.ParticipantList
        return await self._exchange.ask(kind, "GET", "v1", "rooms", room, "participants", query=query)

    async def get_participant(self, room: str, participant: str) -> participants.Participant:
        return await self._exchange.ask(participants.Participant, "GET", *_of(room, participant))

    async def remove_participant(
        self, room: str, participant: str, query: participants.RemoveQuery | None = None
    ) -> None:
        await self._exchange.send("DELETE", *_of(room, participant), query=query)

    async def mute_participant(
        self, room: str, participant: str, mute: participants.Mute | None = None
    ) -> participants.Participant:
        path, body = (*_of(room, participant), "mute"), mute or participants.Mute()
        return await self._exchange.ask(participants.Participant, "POST", *path, body=body)

    async def mute_everybody(self, room: str, mute: participants.Mute | None = None) -> None:
        """Mute all who do not moderate."""
        await self._exchange.send("POST", "v1", "rooms", room, "mute", body=mute or participants.Mute())

    async def change_permissions(
        self, room: str, participant: str, change: participants.ChangePermissions
    ) -> participants.Permissions:
        path = (*_of(room, participant), "permissions")
        return await self._exchange.ask(participants.Permissions, "PATCH", *path, body=change)

    async def move_participant(self, room: str, participant: str, move: participants.Move) -> None:
        await self._exchange.send("POST", *_of(room, participant), "move", body=move)

    async def admit(self, room: str, admit: participants.Admit | None = None) -> participants.Admitted:
        """Let in who waits: somebody, or all."""
        body = admit or participants.Admit()
        return await self._exchange.ask(participants.Admitted, "POST", "v1", "rooms", room, "admit", body=body)

    async def list_tracks(self, room: str) -> tracks.TrackList:
        return await self._exchange.ask(tracks.TrackList, "GET", "v1", "rooms", room, "tracks")

    async def mute_track(self, room: str, track: str) -> tracks.Track:
        return await self._exchange.ask(tracks.Track, "POST", "v1", "rooms", room, "tracks", track, "mute")

    # Tokens, keys and ICE servers.

    async def create_token(self, token: tokens.CreateToken) -> tokens.Token:
        return await self._exchange.ask(tokens.Token, "POST", "v1", "tokens", body=token)

    async def list_keys(self) -> keys.KeyList:
        return await self._exchange.ask(keys.KeyList, "GET", "v1", "keys")

    async def create_key(self, key: keys.CreateKey) -> keys.KeyWithSecret:
        return await self._exchange.ask(keys.KeyWithSecret, "POST", "v1", "keys", body=key)

    async def rotate_key(self, key_id: str, rotate: keys.RotateKey | None = None) -> keys.KeyWithSecret:
        body = rotate or keys.RotateKey()
        return await self._exchange.ask(keys.KeyWithSecret, "POST", "v1", "keys", key_id, "rotate", body=body)

    async def revoke_key(self, key_id: str) -> keys.Key:
        return await self._exchange.ask(keys.Key, "POST", "v1", "keys", key_id, "revoke")

    async def get_ice_servers(self, query: ice_servers.IceQuery | None = None) -> ice_servers.IceServers:
        return await self._exchange.ask(ice_servers.IceServers, "GET", "v1", "ice-servers", query=query)

    # Events.

    async def read_events(self, query: events.EventQuery | None = None) -> EventPage:
        """Return a piece of the feed."""
        return await read_events(self._exchange, query or events.EventQuery())

    def follow_events(self, after: str | None = None) -> AsyncIterator[events.FeedEvent]:
        """Yield events for ever; `after` a cursor, or `now`, or from the oldest that is kept."""
        return follow_events(self._exchange, after)

    async def list_webhooks(self) -> webhooks.WebhookList:
        return await self._exchange.ask(webhooks.WebhookList, "GET", "v1", "webhooks")

    async def replay_webhook(self, name: str) -> webhooks.Replaying:
        return await self._exchange.ask(webhooks.Replaying, "POST", "v1", "webhooks", name, "replay")

    # The server as a whole.

    async def drain(self, query: operation.DrainQuery | None = None) -> operation.DrainState:
        """Have the server take no new rooms, and end when all have gone or the time is over."""
        return await self._exchange.ask(operation.DrainState, "POST", "drain", query=query)

    async def get_drain(self) -> operation.DrainState:
        return await self._exchange.ask(operation.DrainState, "GET", "drain")

    # About the API itself.

    async def get_document(self) -> dict[str, Any]:
        """Return the OpenAPI document of the server."""
        return await self._exchange.ask(dict[str, Any], "GET", "v1", "openapi.json")


def _of(room: str, participant: str) -> tuple[str, ...]:
    return ("v1", "rooms", room, "participants", participant)
