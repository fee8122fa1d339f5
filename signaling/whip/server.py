"""`/whip/{room}` and `/whep/{room}`: streams that come in and go out by HTTP, each a participant of its room."""

from __future__ import annotations

import enum
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias
from urllib.parse import quote

from aiohttp import hdrs, web

from signaling.codes import LeftReason
from signaling.errors import RequestError
from signaling.identifiers import Identity
from signaling.websocket import SignalingServer
from signaling.whip.config import IceServer, WhipConfig
from signaling.whip.exchange import (
    ACCEPT_PATCH,
    ACCEPT_POST,
    CORS_HEADERS,
    FRAGMENT,
    SDP,
    answer_options,
    check_accept,
    check_content_type,
    read_text,
    refuse,
)
from signaling.whip.links import link_of
from signaling.whip.refusals import Refusal, RefusedError
from signaling.whip.resources import Resource, Resources
from signaling.whip.streams import play, publish

IceServers: TypeAlias = Callable[[Identity], Sequence[IceServer]]
_Method: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]

_ID_BYTES: Final = 24
"""192 random bits: an address that nobody guesses (RFC 9725 section 5)."""


class _Protocol(enum.Enum):
    WHIP = "whip"
    WHEP = "whep"


class WhipServer:
    """The streams of one media server that are spoken for over HTTP. All of them end with their rooms."""

    def __init__(
        self, signaling: SignalingServer, config: WhipConfig | None = None, *, ice_servers: IceServers | None = None
    ) -> None:
        """`ice_servers` tells which STUN and TURN servers somebody may use; asked anew for each stream."""
        self._signaling = signaling
        self._config = config or WhipConfig()
        self._ice_servers = ice_servers or (lambda _identity: ())
        self._resources = Resources(self._config)

    @property
    def streams(self) -> int:
        """How many there are, in and out."""
        return len(self._resources)

    def add_routes(self, app: web.Application) -> None:
        """Mount WHIP and WHEP on an application."""
        for protocol, post in ((_Protocol.WHIP, self._publish), (_Protocol.WHEP, self._play)):
            endpoint = {hdrs.METH_POST: post}
            resource = {hdrs.METH_PATCH: self._patch, hdrs.METH_DELETE: self._delete}
            path = f"/{protocol.value}/{{room}}"
            app.router.add_route("*", path, _Door(endpoint, {ACCEPT_POST: SDP}).serve)
            app.router.add_route("*", f"{path}/{{resource}}", _Door(resource, {ACCEPT_PATCH: FRAGMENT}).serve)

    async def _publish(self, request: web.Request) -> web.Response:
        grants = self._signaling.admit(request, request.match_info["room"])
        self._signaling.check_entry(grants)
        resource = self._resources.reserve(_Protocol.WHIP.value, secrets.token_urlsafe(_ID_BYTES), grants)
        async with resource:
            offer = await self._read_offer(request)
            await publish(resource, self._signaling, self._config, offer, request.query)
        return self._created(resource)

    async def _play(self, request: web.Request) -> web.Response:
        grants = self._signaling.admit(request, request.match_info["room"])
        self._signaling.check_entry(grants)
        resource = self._resources.reserve(_Protocol.WHEP.value, secrets.token_urlsafe(_ID_BYTES), grants)
        async with resource:
            offer = await self._read_offer(request)
            await play(resource, self._signaling, self._config, offer, request.query)
        return self._created(resource)

    async def _patch(self, request: web.Request) -> web.Response:
        resource = self._find(request)
        check_content_type(request, FRAGMENT)
        condition = request.headers.get(hdrs.IF_MATCH)
        resource.check(condition)
        fragment = await read_text(
            request, bytes_max=self._config.body_bytes_max, timeout_s=self._config.body_timeout_s
        )
        answer = await resource.patch(fragment, condition)
        if answer is None:
            return web.Response(status=204)
        headers = {hdrs.ETAG: resource.tag, hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(text=answer, content_type=FRAGMENT, headers=headers)

    async def _delete(self, request: web.Request) -> web.Response:
        self._find(request).leave(LeftReason.LEFT)
        return web.Response()

    async def _read_offer(self, request: web.Request) -> str:
        check_content_type(request, SDP)
        check_accept(request, SDP)
        return await read_text(request, bytes_max=self._config.body_bytes_max, timeout_s=self._config.body_timeout_s)

    def _created(self, resource: Resource) -> web.Response:
        headers = {
            hdrs.LOCATION: f"/{resource.protocol}/{quote(resource.grants.room, safe='')}/{resource.id}",
            hdrs.ETAG: resource.tag,
            ACCEPT_PATCH: FRAGMENT,
            hdrs.CACHE_CONTROL: "no-store",
        }
        response = web.Response(status=201, text=resource.answer, content_type=SDP, headers=headers)
        for server in self._ice_servers(resource.grants.identity):
            response.headers.add(hdrs.LINK, link_of(server))
        return response

    def _find(self, request: web.Request) -> Resource:
        """Return the resource of a request whose token is of the person that made it."""
        grants = self._signaling.admit(request, request.match_info["room"])
        protocol = request.path.split("/", 2)[1]
        return self._resources.find(protocol, request.match_info["resource"], grants)


class _Door:
    """One address with its methods: OPTIONS, 405 and refusals are the same at all of them."""

    def __init__(self, methods: Mapping[str, _Method], accepted: dict[str, str]) -> None:
        self._methods = methods
        self._allowed = (*methods, hdrs.METH_OPTIONS)
        self._accepted = accepted

    async def serve(self, request: web.Request) -> web.Response:
        try:
            response = await self._answer(request)
        except RefusedError as error:
            response = refuse(error)
        except RequestError as error:
            response = refuse(RefusedError.of(error))
        response.headers.update(CORS_HEADERS)
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method == hdrs.METH_OPTIONS:
            return answer_options(self._allowed, self._accepted)
        method = self._methods.get(request.method)
        if method is None:
            message = f"{request.method[:20]} is not answered here"
            raise RefusedError(Refusal.METHOD_NOT_ALLOWED, message, headers={hdrs.ALLOW: ", ".join(self._allowed)})
        return await method(request)
