"""Everybody who takes part in a run: they join at a pace, are kept alive, watched over, and go home in the end."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Self

from benchmarks.load.failures import JoinError, LoadError, RefusedError
from benchmarks.load.ground import Ground
from benchmarks.load.options import PEERS_MAX, Options
from benchmarks.load.peer import Peer, Sending, Watching, Work
from media.native.load_plane import LoadPlane
from media.transport.certificate import generate_certificate
from media.transport.dtls_context import DtlsContext
from signaling.identifiers import Role

CHECK_EVERY_S: Final = 2.5
"""As browsers do."""
CHECKS_AT_ONCE: Final = 25
"""Parts of this period: so that checks do not come in one burst."""
JOINING_AT_ONCE: Final = 100
FIRST_PACKET_S: Final = 10.0
SILENT_S: Final = 15.0
"""A computer that is busy with other things lets even a sound server fall silent for seconds."""
REFUSED_S: Final = 2.0
"""Since the last packet, of somebody whom the kernel has told that nobody listens there."""
LEAVING_AT_ONCE: Final = 50
NOTICES_PER_S: Final = 40_000
"""How fast members leave, and come in a climb: each who does is told to all others, and there is to be time for media
beside that, in the server and here."""
DESCRIPTORS_BESIDE: Final = 500


@dataclass(slots=True)
class Arrival:
    """How one viewer's join went; seconds from the first byte, None: did not happen."""

    first_packet_s: float | None = None
    first_key_frame_s: float | None = None
    failure: str | None = None


@dataclass(slots=True)
class Member:
    """A peer that is in."""

    peer: Peer
    arrival: Arrival

    @property
    def watches(self) -> bool:
        return self.peer.watching is not None


@dataclass(slots=True)
class Roll:
    """Who came and who did not."""

    wanted: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    """Of viewers that have left the join behind, well or not."""
    failures: Counter[str] = field(default_factory=Counter)
    """Sentences, by how many peers they are true of."""


class School:
    """Use as an asynchronous context manager: at its end everybody has left and the native thread has ended."""

    def __init__(self, ground: Ground, options: Options) -> None:
        """LoadError if this process may not open as many sockets."""
        peers = (options.viewers + options.publishers) * options.rooms
        self.peers_max = allow_peers(PEERS_MAX if options.find_max else peers)
        if self.peers_max < peers:
            raise LoadError(
                f"{peers} peers need {2 * peers + DESCRIPTORS_BESIDE} open files, but this process may have "
                f"{2 * self.peers_max + DESCRIPTORS_BESIDE}: raise the hard limit (ulimit -Hn) or ask for fewer"
            )
        self.ground, self.options = ground, options
        self.plane = LoadPlane(PEERS_MAX)
        self.roll = Roll()
        self.members: list[Member] = []
        self.context = DtlsContext(generate_certificate(wallclock=dt.datetime.now(dt.UTC)), (options.profile,))
        self._keeper: asyncio.Task[None] | None = None
        self._by_number: dict[int, Peer] = {}
        self._named = 0

    async def __aenter__(self) -> Self:
        self.plane.start()
        asyncio.get_running_loop().add_reader(self.plane.told, self._answer)
        self._keeper = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self.dismiss(len(self.members))
        asyncio.get_running_loop().remove_reader(self.plane.told)
        self.plane.stop()

    @property
    def viewers(self) -> list[Member]:
        return [member for member in self.members if member.watches]

    async def open_rooms(self) -> None:
        """Let all publishers in; LoadError with the first one's reason if one cannot."""
        for room in range(self.options.rooms):
            for _ in range(self.options.publishers):
                number = len(self.members)
                options = self.options
                work = Sending(options.codec, options.layers, options.single_rid, options.video_bps, number)
                arrival = await self._admit(work, self._room(room), f"publisher-{number}")
                if arrival.failure is not None:
                    raise LoadError(f"publisher {number + 1} could not join: {arrival.failure}")

    async def admit_viewers(self, count: int, *, wait_for_media: bool = True) -> None:
        """Let more viewers in at the pace that was asked for, spread over the rooms; failures are on the roll.

        In a climb the pace slows down as rooms grow: a step is to measure media, and not how many were told of joins.
        """
        options, gate = self.options, asyncio.Semaphore(JOINING_AT_ONCE)
        work = Watching(options.videos, options.sounds, options.height, options.loss)
        self.roll.wanted += count

        async def admit(at: float) -> None:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            async with gate:
                name = self._named
                self._named += 1
                arrival = await self._admit(work, self._room(name % options.rooms), f"viewer-{name}")
                self.roll.arrivals.append(arrival)

        at, there = time.monotonic(), len(self.members)
        async with asyncio.TaskGroup() as group:
            for index in range(count):
                group.create_task(admit(at))
                told_s = self._told_s(there + index) if options.find_max and not options.hidden else 0.0
                at += max(1 / options.join_rate, told_s)
        if wait_for_media:
            await self.wait_for_media()

    async def see_off(self, member: Member) -> None:
        """Let one member leave."""
        self.members.remove(member)
        await self._see_off(member.peer)

    async def lose(self, member: Member) -> None:
        """Let one member vanish without a word."""
        self.members.remove(member)
        if member.peer.number is not None:
            self._by_number.pop(member.peer.number, None)
        await member.peer.vanish()

    async def dismiss(self, count: int) -> None:
        """Let the last `count` members leave, the slower the more are told of it."""
        there = len(self.members)
        leaving = self.members[there - count :]
        del self.members[there - count :]
        gate = asyncio.Semaphore(LEAVING_AT_ONCE)

        async def leave(member: Member) -> None:
            async with gate:
                await self._see_off(member.peer)

        async with asyncio.TaskGroup() as group:
            for gone, member in enumerate(leaving):
                group.create_task(leave(member))
                await asyncio.sleep(self._told_s(there - gone))

    def _told_s(self, members: int) -> float:
        """Return how long one coming or going is told about, with so many members in all rooms."""
        return members / self.options.rooms / NOTICES_PER_S

    def gone(self) -> int:
        """Return how many members the server has ended, or says nothing to any more."""
        return sum(self._is_gone(member) for member in self.members)

    def _is_gone(self, member: Member) -> bool:
        if member.peer.ended is not None:
            return True
        if member.peer.number is None or not member.watches or member.peer.is_cut:
            return False
        silent_s = time.time() - self.plane.firsts(member.peer.number)[2] / 1e9
        refused = self.plane.counters(member.peer.number)["unreachable"] > 0
        return silent_s > (REFUSED_S if refused else SILENT_S)

    async def admit(self, work: Work, room: int, identity: str, *, role: Role | None = None) -> Member:
        """Let one peer in; LoadError with the reason if it cannot come."""
        arrival = await self._admit(work, self._room(room), identity, role)
        if arrival.failure is not None:
            raise LoadError(f"{identity} could not join: {arrival.failure}")
        return next(member for member in reversed(self.members) if member.arrival is arrival)

    async def _admit(self, work: Work, room: str, identity: str, role: Role | None = None) -> Arrival:
        """Let one peer in, or write down why not."""
        arrival = Arrival()
        peer = Peer(self.plane, self.context, work, gro=self.options.gro)
        try:
            await peer.join(self.ground.entrance(peer, room, identity, role=role))
        except (JoinError, OSError) as error:
            arrival.failure = str(error)
            self.roll.failures[arrival.failure] += 1
            await self._see_off(peer)
            return arrival
        except BaseException:
            await self._see_off(peer)
            raise
        assert peer.number is not None
        self._by_number[peer.number] = peer
        self.members.append(Member(peer, arrival))
        return arrival

    async def _see_off(self, peer: Peer) -> None:
        if peer.number is not None:
            self._by_number.pop(peer.number, None)
        with contextlib.suppress(RefusedError, ConnectionError):
            await peer.leave()

    async def wait_for_media(self) -> None:
        """Wait until everybody has a picture, or no more is to be expected; write down when it came."""
        deadline = time.monotonic() + FIRST_PACKET_S
        waiting = [member for member in self.viewers if member.arrival.first_key_frame_s is None]
        while True:
            for member in waiting:
                self._note(member)
            waiting = [member for member in waiting if member.arrival.first_key_frame_s is None]
            if not waiting or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        for member in waiting:
            if member.arrival.first_packet_s is None and member.arrival.failure is None:
                member.arrival.failure = f"joined, but got no media within {FIRST_PACKET_S:g} s"
                self.roll.failures[member.arrival.failure] += 1

    def _note(self, member: Member) -> None:
        if member.peer.number is None:
            return
        packet_ns, key_ns, _ = self.plane.firsts(member.peer.number)
        asked = member.peer.times.asked
        member.arrival.first_packet_s = packet_ns / 1e9 - asked if packet_ns else None
        member.arrival.first_key_frame_s = key_ns / 1e9 - asked if key_ns else None

    async def _keep_alive(self) -> None:
        """Check each path as browsers do, a part of them at a time."""
        part = 0
        while True:
            await asyncio.sleep(CHECK_EVERY_S / CHECKS_AT_ONCE)
            part = (part + 1) % CHECKS_AT_ONCE
            for member in self.members[part::CHECKS_AT_ONCE]:
                member.peer.check()

    def _answer(self) -> None:
        """Take what the native thread leaves to Python."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.plane.told)
        for number, datagram in self.plane.take_control():
            peer = self._by_number.get(number)
            if peer is not None and peer.path is not None:
                peer.path.take(datagram)

    @staticmethod
    def _room(index: int) -> str:
        return f"load-{index + 1}"


def allow_peers(wanted: int) -> int:
    """Allow this process as many open files as so many peers need, two each, and return how many peers may be."""
    files = 2 * wanted + DESCRIPTORS_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return (max(soft, allowed) - DESCRIPTORS_BESIDE) // 2
