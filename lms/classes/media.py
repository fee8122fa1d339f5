"""The media server, as live classes need it: a shell around its client that says in one way that it is away."""

from __future__ import annotations

import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from control_api.client import ControlClient, ControlError, NotFoundError, Patience
from control_api.contract import ChangeRoom, CreateToken, Door, EndRoomQuery, RoomDefinition
from lms.api.problems import ProblemError
from lms.classes.problems import MEDIA_UNAVAILABLE
from lms.classes.room import RUN_MAX
from lms.errors import StartError
from lms.settings import MediaServerSettings

logger = logging.getLogger(__name__)

PATIENCE: Final = Patience(attempts=3, timeout_s=5.0, backoff_max_s=1.0)
"""Somebody waits for the answer with a finger on the button."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token, and where it opens the room."""

    url: str
    room: str
    token: str
    expires_at: datetime

    def link(self, title: str) -> str:
        """Return where the media server's own class page is, with what people call the class."""
        fragment = urlencode({"room": self.room, "token": self.token, "title": title}, quote_via=quote)
        return f"{self.url}/class#{fragment}"


class MediaServer:
    """Open until `close`; connects when it is first needed."""

    def __init__(self, settings: MediaServerSettings) -> None:
        self._settings = settings
        self._client: ControlClient | None = None

    async def open_room(self, room: str, definition: RoomDefinition) -> None:
        """Make a room, or have it be as said; raises ProblemError (`media_unavailable`)."""
        async with self._asking() as client:
            await client.put_room(room, definition)

    async def set_door(self, room: str, door: Door) -> None:
        """Say who comes in; raises ProblemError (`media_unavailable`)."""
        async with self._asking() as client:
            await client.change_room(room, ChangeRoom(door=door))

    async def issue(self, request: CreateToken) -> IssuedToken:
        """Return a token; raises ProblemError (`media_unavailable`)."""
        async with self._asking() as client:
            token = await client.create_token(request)
        assert self._settings.url is not None, "there is a media server, as it answered"
        return IssuedToken(self._settings.public_url or self._settings.url, token.room, token.token, token.expires_at)

    async def end_room(self, room: str) -> None:
        """End a room for as long as any token for it may last; one that is gone is ended.

        Raises ControlError: it is asked for from the outbox, which tries again.
        """
        if self._settings.url is None or self._settings.key is None:
            return
        try:
            await self._ask().end_room(room, EndRoomQuery(closed_s=int(RUN_MAX.total_seconds())))
        except NotFoundError:
            return

    @asynccontextmanager
    async def dropping(self, rooms: Iterable[str]) -> AsyncIterator[None]:
        """End these rooms if what they were made for fails. One that cannot be ended now ends by itself, empty."""
        try:
            yield
        except BaseException:
            for room in rooms:
                with contextlib.suppress(ControlError):
                    await self.end_room(room)
            raise

    async def has_room(self, room: str) -> bool:
        """Return whether there is a room; raises ControlError."""
        try:
            await self._ask().get_room(room)
        except NotFoundError:
            return False
        return True

    async def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[ControlClient]:
        if self._settings.url is None or self._settings.key is None:
            raise ProblemError(MEDIA_UNAVAILABLE, rule="configured", headers={"Retry-After": "60"})
        try:
            yield self._ask()
        except ControlError as error:
            logger.warning("the media server did not do as asked", extra={"because": str(error)})
            raise ProblemError(MEDIA_UNAVAILABLE, headers={"Retry-After": "2"}) from None

    def _ask(self) -> ControlClient:
        assert self._settings.url is not None, "a media server is set"
        assert self._settings.key is not None, "a key is set"
        if self._client is None:
            self._client = control_client(self._settings, PATIENCE)
        return self._client


def control_client(settings: MediaServerSettings, patience: Patience | None = None) -> ControlClient:
    """Return a client of the media server that is set, with its certificate believed; raises StartError."""
    assert settings.url is not None, "a media server is set"
    assert settings.key is not None, "a key is set"
    key_id, _, secret = settings.key.partition(":")
    return ControlClient(settings.url, key_id, secret, patience=patience, tls=_believed(settings))


def _believed(settings: MediaServerSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=str(settings.certificate))
    except OSError as error:
        raise StartError(f"media_server.certificate: {settings.certificate} cannot be read ({error})") from None
    context.check_hostname = False  # whoever has this certificate's key is the server, whatever it is called
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
