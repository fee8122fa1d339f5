"""The HTTP application over the parts of a media server: one line for each group of routes, in the order of paths."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from control_api.authorize.authority import KeyAuthority
from control_api.errors import json_errors
from control_api.feed.gate import refuse_joins_without_memory
from control_api.metrics.readings import readings_of
from control_api.metrics.registry import build_registry
from control_api.parts import Parts
from control_api.protection.answer_headers import add_answer_headers
from control_api.rest.document import add_document_routes
from control_api.rest.elsewhere import ELSEWHERE
from control_api.rest.endpoint import AnyEndpoint
from control_api.rest.hall import Hall
from control_api.rest.ice_servers import IceEndpoints
from control_api.rest.keys import KeyEndpoints
from control_api.rest.operation import OperationEndpoints
from control_api.rest.participants import ParticipantEndpoints
from control_api.rest.rooms import RoomEndpoints
from control_api.rest.serve import add_endpoints
from control_api.rest.tokens import TokenEndpoints
from control_api.rest.tracks import TrackEndpoints
from control_api.rest.webhooks import WebhookEndpoints
from control_api.routes.events import add_event_routes
from control_api.routes.health import add_health_routes
from control_api.routes.ice_servers import add_ice_server_routes
from control_api.routes.metrics import add_metrics_routes
from signaling.web.pages import add_web_pages

REQUEST_BYTES_MAX: Final = 1 << 20  # no endpoint takes more; WebSocket frames have their own limit


def build_application(parts: Parts) -> web.Application:
    """Return all routes of the server."""
    middlewares = [  # the first is the outermost
        parts.connections.middleware,
        parts.pace.middleware,
        json_errors,
        refuse_joins_without_memory(parts.journal),
    ]
    application = web.Application(middlewares=middlewares, client_max_size=REQUEST_BYTES_MAX)
    application.on_response_prepare.append(add_answer_headers)
    authority = KeyAuthority(parts.keys.find, on_caller=parts.pace.count_key)
    # For clients.
    parts.signaling.add_routes(application)
    parts.whip.add_routes(application)
    add_ice_server_routes(application, parts.settings.ice, parts.signaling)
    add_web_pages(application)
    # For other programs.
    add_event_routes(application, parts.feed, authority)
    endpoints = endpoints_of(parts)
    add_endpoints(application, endpoints, authority)
    add_document_routes(application, endpoints)
    # For operators.
    add_health_routes(application)
    readers = parts.settings.metrics.readers
    add_metrics_routes(application, build_registry(*readings_of(parts)), authority, readers)
    return application


def endpoints_of(parts: Parts) -> tuple[AnyEndpoint, ...]:
    """Return the endpoints of the control API, in the order of the documentation: one line for each group."""
    hall = Hall(parts.signaling, parts.created_rooms)
    return (
        *RoomEndpoints(hall).endpoints(),
        *ParticipantEndpoints(hall).endpoints(),
        *TrackEndpoints(hall).endpoints(),
        *TokenEndpoints(hall).endpoints(),
        *IceEndpoints(parts.settings.ice).endpoints(),
        *KeyEndpoints(parts.keys).endpoints(),
        *WebhookEndpoints(parts.webhooks).endpoints(),
        *OperationEndpoints(parts.health, parts.drain, parts.signaling, parts.settings.drain).endpoints(),
        *ELSEWHERE,
    )
