"""The parts of one media server, as the composition root hands them to routes, metrics and the drain."""

from __future__ import annotations

from dataclasses import dataclass

from control_api.drain import Drain
from control_api.feed.feed import Feed
from control_api.health.health import Health
from control_api.joins.funnel import JoinFunnel
from control_api.joins.stays import Stays
from control_api.journal.journal import Journal
from control_api.keys import KeyFile
from control_api.protection.connections import ConnectionGuard
from control_api.protection.pace_requests import RequestPace
from control_api.rest.created_rooms import CreatedRooms
from control_api.rest.rooms_file import RoomsFile
from control_api.settings import ServerSettings
from control_api.tls import CertificateFiles
from control_api.webhooks.webhooks import Webhooks
from media.net.engine import Engine
from signaling.websocket import SignalingServer
from signaling.whip import WhipServer


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs; who closes it is `app.MediaServer`."""

    settings: ServerSettings
    keys: KeyFile
    engine: Engine
    journal: Journal
    feed: Feed
    signaling: SignalingServer
    created_rooms: CreatedRooms
    rooms_file: RoomsFile
    whip: WhipServer
    webhooks: Webhooks
    drain: Drain
    health: Health
    funnel: JoinFunnel
    stays: Stays
    pace: RequestPace
    connections: ConnectionGuard
    certificate: CertificateFiles | None
    """None where a proxy does TLS, or nobody."""
