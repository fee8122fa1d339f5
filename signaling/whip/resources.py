"""The streams that are spoken for over HTTP: found by an address that nobody guesses and a token of their owner."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from types import TracebackType
from typing import Final, Self

from media.rtp.parameters import IceCredentials
from signaling.client_messages import Offer
from signaling.codes import LeftReason
from signaling.grants import Grants
from signaling.sdp import SdpError, parse_offer
from signaling.server_messages import Answer
from signaling.whip.config import WhipConfig
from signaling.whip.entity_tags import check_if_match
from signaling.whip.fragments import Fragment, build_fragment, parse_fragment, renew_credentials
from signaling.whip.refusals import Refusal, RefusedError
from signaling.whip.seat import Seat

_TAG_BYTES: Final = 9
_ALIAS_BYTES: Final = 6


class Resource:
    """One stream. As a context it is given back if its making fails; after that it lives until `leave`."""

    def __init__(self, resources: Resources, protocol: str, resource_id: str, grants: Grants) -> None:
        self.protocol = protocol
        self.id = resource_id
        self.grants = grants
        """Of the token that made it."""
        self.offer = ""
        """The last one, with the credentials of the present ICE generation."""
        self.answer = ""
        self.alias = secrets.token_urlsafe(_ALIAS_BYTES)
        """Tells the viewers of one identity apart."""
        self.tag = _new_tag()
        """Entity tag of the present ICE generation, with its quotes."""
        self.seat: Seat | None = None
        self._resources = resources
        self._patching = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.leave(LeftReason.DISCONNECTED)
        elif self.seat is None or self.seat.stay is None:  # put out between two answers of the room
            raise RefusedError(Refusal.UNKNOWN_RESOURCE, "the room ended the stream at once")

    def leave(self, reason: LeftReason) -> None:
        """End the stream; the address leads nowhere from now on."""
        self._resources.forget(self)
        if self.seat is not None:
            self.seat.leave(reason)

    def forget(self) -> None:
        """Take note that the room ended the stream."""
        self._resources.forget(self)

    def check(self, condition: str | None) -> None:
        """Raise RefusedError unless `If-Match` means the present ICE generation."""
        check_if_match(condition, self.tag)

    async def patch(self, text: str, condition: str | None) -> str | None:
        """Take a fragment; return the fragment that answers an ICE restart, None where there is nothing to say."""
        try:
            fragment = parse_fragment(text)
        except SdpError as error:
            raise RefusedError(Refusal.BAD_FRAGMENT, str(error)) from error
        async with self._patching:
            self.check(condition)  # again: another restart may have come first
            present = _check(fragment, self.offer)
            if fragment.ice is None or fragment.ice == present:
                return None  # candidates: we answer checks from wherever they come (ICE-lite)
            return await self._restart(fragment.ice, present)

    async def _restart(self, ice: IceCredentials, present: IceCredentials) -> str:
        if ice.ufrag == present.ufrag or ice.password == present.password:
            raise RefusedError(Refusal.UNUSABLE_FRAGMENT, "an ICE restart changes both a=ice-ufrag and a=ice-pwd")
        if self.seat is None:
            raise unknown_resource()
        offer = renew_credentials(self.offer, ice)
        self.answer = (await self.seat.ask(Offer(sdp=offer), Answer)).sdp
        self.offer = offer
        self.tag = _new_tag()
        return build_fragment(self.answer)


class Resources:
    """All streams of one server, within the limits of the settings."""

    def __init__(self, config: WhipConfig) -> None:
        self._config = config
        self._resources: dict[str, Resource] = {}

    def __len__(self) -> int:
        return len(self._resources)

    def reserve(self, protocol: str, resource_id: str, grants: Grants) -> Resource:
        """Return a new resource, not yet in its room; RefusedError if this person or the server has too many."""
        mine = sum(_is_owner(resource, grants) for resource in self._resources.values())
        if mine >= self._config.resources_per_person_max:
            raise RefusedError(Refusal.TOO_MANY, f"this identity has {mine} streams in the room")
        if len(self._resources) >= self._config.resources_max:
            raise RefusedError(Refusal.TOO_MANY, f"the server has {len(self._resources)} streams")
        resource = self._resources[resource_id] = Resource(self, protocol, resource_id, grants)
        return resource

    def find(self, protocol: str, resource_id: str, grants: Grants) -> Resource:
        """Return the resource at an address; RefusedError, always the same, if it is not there or of somebody else."""
        resource = self._resources.get(resource_id)
        if resource is None or resource.protocol != protocol or not _is_owner(resource, grants):
            raise unknown_resource()
        return resource

    def forget(self, resource: Resource) -> None:
        """Let an address lead nowhere; safe to call again."""
        self._resources.pop(resource.id, None)


def unknown_resource() -> RefusedError:
    """Return the refusal for an address that leads nowhere."""
    return RefusedError(Refusal.UNKNOWN_RESOURCE, "there is no such stream of yours")


def _is_owner(resource: Resource, grants: Grants) -> bool:
    """Compare in constant time: neither the address nor the owner can be found out bit by bit."""
    mine, yours = (f"{each.room}\0{each.identity}".encode() for each in (resource.grants, grants))
    return hmac.compare_digest(mine, yours)


def _check(fragment: Fragment, offer: str) -> IceCredentials:
    """Return the client's present credentials; RefusedError for a fragment of another offer."""
    description = parse_offer(offer)
    known = {section.mid for section in description.sections}
    for mid in fragment.mids:
        if mid not in known:
            raise RefusedError(Refusal.UNUSABLE_FRAGMENT, f"section {mid!r} is not in the offer")
    return next(section.transport.ice for section in description.sections if section.transport.ice is not None)


def _new_tag() -> str:
    return f'"{secrets.token_urlsafe(_TAG_BYTES)}"'
