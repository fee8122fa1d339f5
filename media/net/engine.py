"""The engine: one worker per core, rooms spread over them, one certificate, one admission for all handshakes."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from media.native.latency import bounds_us
from media.native.sealer import load as load_sealer
from media.native.srtp import load as load_srtp
from media.net.addresses import host_addresses
from media.net.estimate_poll import EstimatePoll
from media.net.gso import gso_pays
from media.net.level_poll import LevelPoll
from media.net.self_check import answers
from media.net.shell import WorkerShell
from media.net.sockets import open_sockets
from media.routing.kinds import ExtensionKinds
from media.routing.router import OnTransport, Router
from media.rtp.parameters import Candidate
from media.transport.admission import HandshakeAdmission
from media.transport.certificate import generate_certificate
from media.transport.counters import DropCounters
from media.transport.dtls_context import DtlsContext
from media.transport.transport import TransportConfig, TransportServices

NARROW_BPS = 160_000  # room for sound and for a camera in its smallest size
_HOST_PREFERENCE = 126  # RFC 8445 section 5.1.2.1, type preference of host candidates
_COMPONENT_RTP = 1


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Where the engine listens and how wide it runs."""

    bind_address: str = "0.0.0.0"
    udp_port: int = 0
    """Of the first worker; the next workers take the ports after it. 0: the system chooses the first."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Data-plane threads: one per core, since forwarding is all they do."""
    advertise: tuple[str, ...] = ()
    """IP addresses for our candidates, e.g. the public one of a router; empty: those of this host."""
    together_max: int = 64
    """Participants of one room on one worker; those of a larger room are spread over all."""
    gso: bool | None = None
    """Whether equal packets to one viewer leave as one message (UDP GSO); None: where a trial at start says it pays."""
    transport: TransportConfig = field(default_factory=TransportConfig)


class Engine:
    """Makes routers; must be started and closed on the event loop that it is to use."""

    def __init__(self, shells: list[WorkerShell], services: TransportServices, *, together_max: int) -> None:
        self._shells = shells
        self._services = services
        self._together_max = together_max
        workers = [shell.worker for shell in shells]
        self._levels = LevelPoll(workers)
        self._estimate_poll = EstimatePoll(workers)
        self._routers: list[tuple[Router, WorkerShell]] = []
        self.on_transport: OnTransport | None = None
        """Called with each transport that is made from now on, and its listener."""

    @classmethod
    async def start(cls, config: EngineConfig) -> Engine:
        """Bind the sockets and start the threads.

        Raises OSError if a port is taken, ValueError for addresses that are none, SrtpUnavailable if libsrtp is not the
        one that we know.
        """
        load_srtp()
        load_sealer()
        if config.workers < 1:
            raise ValueError(f"workers is {config.workers}, expected at least 1")
        certificate = generate_certificate(wallclock=dt.datetime.now(dt.UTC))
        services = TransportServices(DtlsContext(certificate), HandshakeAdmission(), DropCounters())
        addresses = config.advertise or tuple(host_addresses(config.bind_address))
        gso = gso_pays() if config.gso is None else config.gso
        kinds = ExtensionKinds()
        ids = itertools.count(1)
        sockets = open_sockets(config.bind_address, config.udp_port, config.workers)
        shells: list[WorkerShell] = []
        try:
            for udp in sockets:
                shell = WorkerShell(
                    udp,
                    candidates=host_candidates(addresses, udp.getsockname()[1]),
                    fingerprint=certificate.fingerprint,
                    kinds=kinds,
                    services=services,
                    transport_config=config.transport,
                    new_id=lambda: next(ids),
                )
                shells.append(shell)
                shell.worker.use_gso(gso)
                shell.start()
        except BaseException:
            for shell in shells:
                shell.close()
            for udp in sockets:
                udp.close()
            raise
        return cls(shells, services, together_max=config.together_max)

    @property
    def udp_ports(self) -> tuple[int, ...]:
        """The port of each worker."""
        return tuple(shell.candidates[0].port for shell in self._shells)

    async def silent_workers(self, *, timeout_s: float) -> tuple[int, ...]:
        """Return the numbers of the workers that do not answer a STUN request of this host in time."""
        shells = tuple(self._shells)
        answered = await asyncio.gather(*(answers(shell, timeout_s=timeout_s) for shell in shells))
        return tuple(index for index, alive in enumerate(answered) if not alive)

    def create_router(self) -> Router:
        """Return the crossbar of a new room, on the worker with the fewest transports."""
        self._forget_closed()
        shell = self._least_used()
        router = Router(shell, self._least_used, together_max=self._together_max)
        router.on_transport = self.on_transport
        self._levels.add(router)
        self._estimate_poll.add(router)
        shell.routers += 1
        self._routers.append((router, shell))
        return router

    async def close(self) -> None:
        """Close every router, stop the threads and close the sockets."""
        for router, _ in self._routers:
            router.close()
        self._routers.clear()
        self._levels.close()
        self._estimate_poll.close()
        for shell in self._shells:
            shell.close()
        self._shells.clear()

    def metrics(self) -> Mapping[str, float]:
        """Return all workers' counters and row counts; names that only ever grow end in _total."""
        self._forget_closed()
        totals: dict[str, float] = {"workers": len(self._shells), "routers": len(self._routers)}
        for shell in self._shells:
            for name, value in shell.worker.counters().items():
                totals[f"{name}_total"] = totals.get(f"{name}_total", 0) + value
            for name, value in zip(("transports", "producers", "consumers"), shell.worker.rows(), strict=True):
                totals[name] = totals.get(name, 0) + value
            totals["unknown_ufrags_total"] = totals.get("unknown_ufrags_total", 0) + shell.unknown_ufrags
            totals["control_send_failures_total"] = totals.get("control_send_failures_total", 0) + shell.send_failures
            totals["socket_drops_total"] = totals.get("socket_drops_total", 0) + shell.socket_drops
            totals["data_plane_cpu_seconds_total"] = (
                totals.get("data_plane_cpu_seconds_total", 0) + shell.worker.cpu_ns() / 1e9
            )
        totals |= self._estimates()
        for reason, count in self._services.drops.counts.items():
            totals[f"control_dropped_{reason.value}_total"] = count
        admission = self._services.admission
        totals["dtls_handshakes"] = admission.in_progress
        totals["dtls_handshakes_admitted_total"] = admission.admitted
        totals["dtls_handshakes_refused_total"] = admission.refused
        return totals

    def forward_latency(self) -> tuple[list[int], int]:
        """Return how many batches took how long to be forwarded (buckets of `latency.bounds_us`), and the sum in us."""
        counts, sum_us = [0] * (len(bounds_us()) + 1), 0
        for shell in self._shells:
            more, more_us = shell.worker.latency()
            counts = [one + other for one, other in zip(counts, more, strict=True)]
            sum_us += more_us
        return counts, sum_us

    def _least_used(self) -> WorkerShell:
        return min(self._shells, key=lambda shell: (shell.transports, shell.routers))

    def _estimates(self) -> dict[str, float]:
        """Return how many paths to clients are estimated, what they carry together, and how many of them little."""
        known = [
            transport.estimate.bitrate_bps
            for router, _ in self._routers
            for transport in router.transports
            if transport.estimate is not None and transport.state != "closed"
        ]
        narrow = sum(bitrate_bps < NARROW_BPS for bitrate_bps in known)
        return {"estimated_paths": len(known), "estimated_paths_bps": sum(known), "narrow_paths": narrow}

    def _forget_closed(self) -> None:
        for router, shell in self._routers:
            if router.closed:
                shell.routers -= 1
        self._routers = [entry for entry in self._routers if not entry[0].closed]


def host_candidates(addresses: tuple[str, ...], port: int) -> tuple[Candidate, ...]:
    """Return a host candidate per address, the first preferred (RFC 8445 section 5.1.2)."""
    return tuple(
        Candidate(
            address=address,
            port=port,
            priority=(_HOST_PREFERENCE << 24) | ((65535 - index) << 8) | (256 - _COMPONENT_RTP),
            foundation=str(index + 1),
        )
        for index, address in enumerate(addresses)
    )
