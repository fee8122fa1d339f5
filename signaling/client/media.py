"""What the client asks of whatever carries its media, as Protocols: libwebrtc for bots, a test peer for tests."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from signaling.identifiers import SlotKind, Source
from signaling.server_messages import EncodingWanted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = 48_000
"""Of all sound: what Opus works with."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One decoded picture."""

    picture: NDArray[np.uint8]
    """RGB: (height, width, 3)."""
    timestamp_us: int
    """Of its track's own clock, microseconds."""

    @property
    def width(self) -> int:
        return int(self.picture.shape[1])

    @property
    def height(self) -> int:
        return int(self.picture.shape[0])


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """10 ms of decoded sound."""

    samples: NDArray[np.int16]
    """(samples, channels)."""
    sample_rate_hz: int
    timestamp_us: int


Frame: TypeAlias = VideoFrame | AudioFrame


class MediaState(enum.Enum):
    NEW = "new"
    CONNECTED = "connected"
    INTERRUPTED = "interrupted"
    """Nothing comes through at the moment; it may pass."""
    FAILED = "failed"
    """Nothing comes through, and only an ICE restart can change that."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SlotSection:
    """A receive section of the offer."""

    mid: str
    kind: SlotKind


class Outgoing(Protocol):
    """What a program writes frames to: it outlives the connection that carries it."""

    async def send(self, frame: NDArray[np.generic]) -> None:
        """Send a picture (height, width, 3: RGB, uint8), or sound (samples[, channels]: int16, or float from -1 to 1).

        Sound is taken at the pace at which it is played: the call returns when the next samples are due.
        """

    def close(self) -> None: ...


class Media(Protocol):
    """One PeerConnection with all its sections in the first offer."""

    @property
    def state(self) -> MediaState: ...

    @property
    def negotiating(self) -> bool:
        """Whether an offer was made whose answer never came: the next message to the server must bring another."""

    @property
    def slots(self) -> Sequence[SlotSection]:
        """The receive sections, known once `offer` was called."""

    def watch(self, changed: Callable[[MediaState], None], silent: Callable[[], None]) -> None:
        """Call `changed` at every new state, from the event loop, and `silent` when what flowed stops all at once."""

    async def offer(self, *, restart_ice: bool = False) -> str:
        """Return an offer for the server; with `restart_ice`, one that finds a new path."""

    async def accept(self, answer: str) -> None: ...

    def mid_of(self, source: Source) -> str:
        """Return the section on which this source is sent."""

    def make_outgoing(self, source: Source) -> Outgoing:
        """Return something to write frames of this source to; `carry` connects it."""

    async def carry(self, source: Source, outgoing: Outgoing | None) -> None:
        """Send what is written there, or nothing, on the section of the source: no new SDP."""

    async def set_encodings(self, source: Source, encodings: Sequence[EncodingWanted]) -> None:
        """Send these encodings, with so much each."""

    def frames(self, mid: str) -> AsyncIterator[Frame]:
        """Decode what a slot receives, until the connection is closed. Who reads slowly misses the oldest frames."""

    async def close(self) -> None: ...


MediaFactory: TypeAlias = Callable[[], Media]
"""Makes a new PeerConnection, for the first join and whenever the server has forgotten the earlier one."""
