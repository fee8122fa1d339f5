"""Everything that one can ask of a room beside media, as methods: one a request of protocol.md."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

from signaling.client.errors import HalqaError
from signaling.client.media import SlotSection
from signaling.identifiers import Door, ParticipantId, Role, Source
from signaling.levels import Level
from signaling.server_messages import AnyServerMessage, ParticipantView, SlotView, TrackView, VisitorView

Who = ParticipantView | VisitorView | ParticipantId | str
"""Somebody, or their id."""


class Requests(ABC):
    """Each method returns when the server has done it.

    Raises RequestRefusedError (`not_allowed`, `rate_limited` ... : protocol.md), or DisconnectedError if the connection
    broke before the answer, so that nobody knows. While it is broken, calls wait a few seconds for it to come back.
    """

    @abstractmethod
    async def ask(self, request: dict[str, Any]) -> AnyServerMessage | None:
        """Send any request of protocol.md, without `id`, and return its answer."""

    async def send(
        self,
        body: Any,
        *,
        topic: str = "chat",
        roles: Sequence[Role] = (),
        to: Sequence[Who] = (),
    ) -> None:
        """Send a message to everybody, or to those with these roles and these participants."""
        request: dict[str, Any] = {"type": "send", "topic": topic, "body": body}
        if roles or to:
            request["to"] = {"roles": [role.value for role in roles], "participants": [_id(each) for each in to]}
        await self.ask(request)

    async def react(self, reaction: str) -> None:
        """Show an emoji for a moment."""
        await self.ask({"type": "react", "reaction": reaction})

    async def raise_hand(self) -> None:
        await self.ask({"type": "hand", "raised": True})

    async def lower_hand(self, whose: Who | None = None) -> None:
        """Lower our own hand, or as a moderator somebody's, or that of "all"."""
        of = {} if whose is None else {"participant": _id(whose)}
        await self.ask({"type": "hand", "raised": False, **of})

    async def set_value(
        self, key: str, value: Any, *, scope: Literal["own", "room"] = "own", if_version: int | None = None
    ) -> None:
        """Keep a value that newcomers are told, too; None forgets it. `room`: moderators only."""
        versioned = {} if if_version is None else {"if_version": if_version}
        await self.ask({"type": "state", "scope": scope, "key": key, "value": value, **versioned})

    async def view(
        self,
        slot: SlotView | SlotSection | str,
        track: TrackView | str | None = "as it is",
        *,
        height: float | Literal["as it is"] | None = "as it is",
        frame_rate: float | Literal["as it is"] | None = "as it is",
    ) -> None:
        """Say what a slot shows: a track, "auto", or None for nothing; and how high and how often at most.

        "as it is" changes nothing; for height (pixels) and frame rate (a second), None is the default.
        """
        wanted: dict[str, Any] = {"mid": slot if isinstance(slot, str) else slot.mid}
        given = {
            "track": track.id if isinstance(track, TrackView) else track,
            "height": height,
            "frame_rate": frame_rate,
        }
        wanted |= {name: value for name, value in given.items() if value != "as it is"}
        await self.ask({"type": "view", "slots": [wanted]})

    async def limit(self, level: Level | None) -> None:
        """Be sent no more pictures than this level stands for; None: as many as the network carries."""
        await self.ask({"type": "limit", "level": None if level is None else level.value})

    # -- moderation -----------------------------------------------------------------------------------------------

    async def admit(self, visitor: Who) -> None:
        """Let in who waits, or "all"."""
        await self.ask({"type": "admit", "participant": _id(visitor)})

    async def send_back(self, participant: Who) -> None:
        """Put somebody out who may knock again."""
        await self.ask({"type": "send_back", "participant": _id(participant)})

    async def permit(
        self,
        participant: Who,
        *,
        publish: Sequence[Source] | None = None,
        subscribe: bool | None = None,
        send: bool | None = None,
        moderate: bool | None = None,
    ) -> None:
        """Change what somebody may do; None leaves it as it is."""
        sources = None if publish is None else [source.value for source in publish]
        fields = {"publish": sources, "subscribe": subscribe, "send": send, "moderate": moderate}
        changed = {name: value for name, value in fields.items() if value is not None}
        await self.ask({"type": "permit", "participant": _id(participant), **changed})

    async def mute_participant(self, participant: Who, source: Source = Source.MICROPHONE) -> None:
        """Mute somebody, or "all"."""
        await self.ask({"type": "mute_participant", "participant": _id(participant), "source": source.value})

    async def ask_unmute(self, participant: Who, source: Source = Source.MICROPHONE) -> None:
        await self.ask({"type": "ask_unmute", "participant": _id(participant), "source": source.value})

    async def remove(self, participant: Who, *, reason: str = "", ban: bool = False) -> None:
        """Put somebody out."""
        await self.ask({"type": "remove", "participant": _id(participant), "reason": reason, "ban": ban})

    async def lock(self, door: Door) -> None:
        """Decide who comes in from now on."""
        await self.ask({"type": "lock", "door": door.value})

    async def set_spotlight(self, participants: Sequence[Who]) -> None:
        """Whom everybody should see large; an empty list ends it."""
        await self.ask({"type": "spotlight", "participants": [_id(each) for each in participants]})

    async def record(self, action: Literal["start", "stop", "pause", "resume"]) -> None:
        """Record the class; needs the permission to, and a server with a recorder (`recording_unavailable`)."""
        await self.ask({"type": "record", "action": action})

    async def end_class(self, reason: str = "") -> None:
        """End the class for everybody, ourselves too."""
        await self.ask({"type": "end", "reason": reason})


def _id(who: Who) -> str:
    if isinstance(who, ParticipantView | VisitorView):
        return who.id
    if not isinstance(who, str):
        raise HalqaError("bad_message", f"participant is {who!r}, expected one of room.participants, or an id")
    return who
