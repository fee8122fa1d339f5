"""The LMS put together: every part is built here, handed to those that need it, and closed in reverse."""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from aiohttp import web

from lms.access.authority import Authority
from lms.access.links import TOPIC
from lms.access.passwords import Passwords
from lms.access.standing import Standings
from lms.api.rate_limits import RateLimits
from lms.api.serve import Server
from lms.api.shared_limits import SharedLimits
from lms.application import build_application
from lms.attendance.jobs import AttendanceJobs
from lms.chat.listening import ChatRooms
from lms.chat.offline import ChatQueue
from lms.chat.spoken import ChatSpeech
from lms.chat.writing import Writer
from lms.classes.media import MediaServer
from lms.classes.told import ClassJobs
from lms.clock import Clock, SystemClock
from lms.database.database import Database
from lms.errors import StartError
from lms.grades.offline import GradeQueue
from lms.ids import Ids
from lms.jobs import add_jobs
from lms.live.bus import LocalBus, PostgresqlBus
from lms.live.live import Live
from lms.mail.class_mails import ClassMails
from lms.mail.host_mails import HostMails
from lms.mail.links import LinkMails
from lms.mail.mailer import make_mailer
from lms.notifications.classes import ClassNews
from lms.notifications.endpoints import add_notifications
from lms.organizations.host_checks import MAIL
from lms.outbox.relay import Relay
from lms.outbox.send import Outbox
from lms.parts import Parts
from lms.personal import work
from lms.schedule.scheduler import Scheduler
from lms.settings import HttpSettings, LmsSettings
from lms.sync.registry import Operations
from lms.webhooks.deliver import WebhookDeliveries
from lms.webhooks.queue import DeliveryQueue
from webapi.client_address import parse_networks

SECRET_FILE: Final = "lms-secret"  # noqa: S105 - a name
SHUTDOWN_SECONDS: Final = 5.0  # for requests that are under way
BACKLOG: Final = 1024
LINGER_S: Final = 2.0
"""For so long more of a body is read and thrown away after it was refused, so that the answer is not lost."""
REQUEST_LINE_BYTES_MAX: Final = 64 * 1024
"""As much as a body: whoever sends a query that is too long is told so in JSON, as of every other fault."""


class LmsService:
    """A running LMS."""

    def __init__(self, closing: AsyncExitStack, url: str, parts: Parts) -> None:
        self._closing = closing
        self.parts = parts
        self.url = url
        """Where HTTP is served, e.g. "http://127.0.0.1:8090": the port that was taken where settings said 0."""

    @classmethod
    async def start(
        cls, settings: LmsSettings, *, clock: Clock | None = None, database: Database | None = None
    ) -> Self:
        """Start all parts, or none: raises StartError. A `database` that is handed in is not closed."""
        async with AsyncExitStack() as closing:
            chosen = clock or SystemClock()
            if database is None:
                database = await Database.open(settings.database, settings.data, chosen)
                closing.push_async_callback(database.close)
            opened = _listen(settings.http)
            closing.callback(opened.close)
            host, port = opened.getsockname()[:2]
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            parts = await _build(settings, chosen, database, settings.http.public_url or url)
            closing.callback(parts.passwords.close)
            closing.push_async_callback(parts.media.close)
            if isinstance(parts.limits, SharedLimits):
                closing.push_async_callback(parts.limits.close)
            closing.push_async_callback(parts.relay.close)
            closing.push_async_callback(parts.live.close)
            ChatSpeech(parts).add()
            add_notifications(parts)
            news = ClassNews(parts)
            news.listen()
            ChatQueue(parts.operations, Writer(parts.ids, parts.live), parts.live).add()
            GradeQueue(parts.operations, parts.outbox).add()
            await parts.live.start()
            closing.push_async_callback(parts.webhooks.close)
            attendance = AttendanceJobs.of(parts)
            closing.push_async_callback(attendance.close)
            application = build_application(parts, attendance.reader)
            runner = web.AppRunner(
                application,
                access_log=None,
                shutdown_timeout=SHUTDOWN_SECONDS,
                max_line_size=REQUEST_LINE_BYTES_MAX,
                lingering_time=LINGER_S,
            )
            await runner.setup()
            closing.push_async_callback(runner.cleanup)
            classes = ClassJobs(parts, parts.media)
            parts.relay.start()
            parts.webhooks.start()
            attendance.also_keep(classes.take_events)
            attendance.start()
            add_jobs(parts, classes, news)
            closing.push_async_callback(parts.schedule.close)
            await parts.schedule.start()
            await web.SockSite(runner, opened, backlog=BACKLOG).start()
            return cls(closing.pop_all(), url, parts)

    async def close(self) -> None:
        """Finish the requests that are under way, and stop."""
        await self._closing.aclose()


async def _build(settings: LmsSettings, clock: Clock, database: Database, url: str) -> Parts:
    keys = settings.tokens.secrets or (await asyncio.to_thread(_read_secret, settings.data),)
    ids = Ids(clock)
    standings = Standings(database, clock, settings.tokens.standing_s)
    authority = Authority(keys, standings, clock, settings.cors.origins)
    limits = _limits(settings)
    outbox, relay = Outbox(ids), Relay(database, clock)
    outbox.on_message(relay.wake)
    outbox.done_unless(relay.acts_on)
    webhooks = WebhookDeliveries(database, clock, settings.webhooks, keys)
    outbox.also_write(DeliveryQueue(webhooks.wake).take)
    mailer = make_mailer(settings.mail, settings.data, clock)
    relay.on(TOPIC, LinkMails(database, mailer, keys[0], url).consume)
    ClassMails(database, outbox, mailer, url).listen(relay)
    relay.on(MAIL, HostMails(database, mailer, settings.hosts.free_after_days).consume)
    personal = work.PersonalWork(database, outbox)
    relay.on(work.EXPORT, personal.export)
    relay.on(work.ERASE, personal.erase)
    passwords = await asyncio.to_thread(Passwords, settings.passwords)
    return Parts(
        settings=settings,
        clock=clock,
        ids=ids,
        database=database,
        standings=standings,
        authority=authority,
        limits=limits,
        server=Server(database, authority, limits, clock, parse_networks(settings.http.trusted_proxies)),
        outbox=outbox,
        relay=relay,
        schedule=Scheduler(database, clock),
        webhooks=webhooks,
        secrets=keys,
        passwords=passwords,
        operations=Operations(),
        live=Live(
            database,
            PostgresqlBus(database.url) if database.is_postgresql else LocalBus(),
            clock,
            settings.live,
            ChatRooms(database),
        ),
        media=MediaServer(settings.media_server),
        url=url,
    )


def _limits(settings: LmsSettings) -> RateLimits | SharedLimits:
    own = RateLimits(settings.rate_limits)
    return own if settings.limits.redis is None else SharedLimits(settings.limits.redis, own)


def _read_secret(data: Path) -> str:
    """Return the secret of the data folder; it is made when there is none."""
    path = data / SECRET_FILE
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48), encoding="ascii")
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from None


def _listen(settings: HttpSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setblocking(False)
        opened.bind((settings.host, settings.port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise StartError(f"TCP port {settings.port} of {settings.host} cannot be had: {error.strerror}") from None
    return opened
