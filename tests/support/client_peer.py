"""A test peer's media under the Python client: cheaper than libwebrtc, so that a class of them fits a small machine."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from signaling.client.media import Frame, MediaState, Outgoing, SlotSection
from signaling.identifiers import SlotKind, Source
from signaling.server_messages import EncodingWanted
from tests.support.peer_link import peer_context
from tests.support.peer_media import PeerMedia
from tests.support.peer_offer import (
    CAMERA,
    ENCODINGS,
    LIKE_CHROMIUM,
    SlotCounts,
    make_credentials,
    read_answer,
    write_offer,
)
from tests.support.peer_slots import ReceivingSlot
from tests.support.peer_sources import Camera, Rates

COUNTS = SlotCounts(audio=1, video=1, screen=0)
RATES = Rates(frames_per_second=10)


class NativeMedia:
    """See `signaling.client.media.Media`; it publishes a camera, receives one, and cannot restart ICE."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.received: dict[str, ReceivingSlot] = {}
        self._ice = make_credentials()
        self._chance = random.Random(identity)
        self._changed: Callable[[MediaState], None] = lambda _state: None
        self._state = MediaState.NEW
        self._media: PeerMedia | None = None
        self._sources: dict[str, Camera] = {}
        self._connecting: asyncio.Task[None] | None = None

    @property
    def packets(self) -> int:
        """How many packets of others came."""
        return sum(slot.packets.total() for slot in self.received.values())

    @property
    def state(self) -> MediaState:
        return self._state

    @property
    def negotiating(self) -> bool:
        return False

    @property
    def slots(self) -> Sequence[SlotSection]:
        return [SlotSection(mid, SlotKind(kind)) for mid, kind in COUNTS.kinds.items()]

    def watch(self, changed: Callable[[MediaState], None], silent: Callable[[], None]) -> None:
        self._changed = changed

    async def offer(self, *, restart_ice: bool = False) -> str:
        return write_offer(self._ice, peer_context().certificate.fingerprint, COUNTS, LIKE_CHROMIUM)

    async def accept(self, answer: str) -> None:
        read = read_answer(answer)
        read = replace(read, address=("127.0.0.1", read.address[1]))  # the server has all, this socket has that one
        self.received |= {
            mid: ReceivingSlot(mid, COUNTS.kinds[mid], ssrc, rtx_ssrc) for mid, (ssrc, rtx_ssrc) in read.slots.items()
        }
        self._media = PeerMedia(
            ice=self._ice, answer=read, numbers=LIKE_CHROMIUM, slots=self.received, chance=self._chance
        )
        self._media.sources.update(self._sources)
        await self._media.link.bind()
        self._connecting = asyncio.create_task(self._connect(self._media))

    def mid_of(self, source: Source) -> str:
        assert source is Source.CAMERA
        return CAMERA

    def make_outgoing(self, source: Source) -> Outgoing:
        return _Automatic()

    async def carry(self, source: Source, outgoing: Outgoing | None) -> None:
        camera = Camera(
            "class", self.identity, numbers=LIKE_CHROMIUM, rates=RATES, chance=self._chance, mid=CAMERA, rids=ENCODINGS
        )
        self._sources = {} if outgoing is None else {"camera": camera}
        if self._media is not None:
            self._media.sources.clear()
            self._media.sources.update(self._sources)

    async def set_encodings(self, source: Source, encodings: Sequence[EncodingWanted]) -> None:
        """All are sent, always."""

    async def frames(self, mid: str) -> AsyncIterator[Frame]:
        raise NotImplementedError
        yield

    async def close(self) -> None:
        self._state = MediaState.CLOSED
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        if self._media is not None:
            await self._media.end()

    async def _connect(self, media: PeerMedia) -> None:
        try:
            await media.connect()
        except (TimeoutError, ConnectionError):
            self._state = MediaState.FAILED
        else:
            self._state = MediaState.CONNECTED
        self._changed(self._state)


class _Automatic:
    """The peer's camera makes its own pictures."""

    async def send(self, frame: NDArray[np.generic]) -> None: ...

    def close(self) -> None: ...
