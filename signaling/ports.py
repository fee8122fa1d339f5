"""What signalling asks of the media engine and of who keeps a record, as Protocols; the composition root hands both in.

All calls are synchronous and cheap, from the event loop's thread. A call with parameters that cannot work raises
ValueError; a call that the state does not allow raises `media.errors.LocalError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from media.rtp.parameters import (
    ConsumerParameters,
    IceCredentials,
    LocalTransport,
    MediaKind,
    Mid,
    ProducerParameters,
    RemoteTransport,
    Rid,
    Ssrc,
)
from signaling.facts import LeftFact, ParticipantFact, RecordingFact, RecordingId, RoomFact, TrackFact
from signaling.identifiers import RoomName


class EncodingState(Protocol):
    """What a viewer can be sent of a track: one encoding of simulcast, or one size of a layered stream (SVC).

    Width and height are 0 until a key frame told them.
    """

    @property
    def rid(self) -> Rid | None: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def temporal_shares(self) -> Sequence[float]:
        """Of the bitrate, up to each temporal layer, lowest first; empty where it is not measured."""


class Producer(Protocol):
    """A track entering the engine. It starts paused: nothing is forwarded."""

    on_change: Callable[[], None] | None
    """Called when codec, encodings or a resolution became known or changed."""

    @property
    def codec(self) -> str | None: ...
    @property
    def encodings(self) -> Sequence[EncodingState]:
        """What viewers can be sent, lowest first. Sizes of a layered stream are known once it flows; none has a rid."""

    @property
    def received_bytes(self) -> Sequence[int]:
        """What came of each encoding that was negotiated since the start, paused or not."""

    @property
    def offered_bytes(self) -> Sequence[int]:
        """What came of each of `encodings` since the start; of a size of a layered stream, with all that it needs."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...


class Consumer(Protocol):
    """A slot: a receive section of a client with a fixed SSRC, empty or fed by one producer."""

    on_switch: Callable[[int], None] | None
    """Called with the index of the encoding that flows from now on."""

    @property
    def ssrc(self) -> Ssrc: ...
    @property
    def rtx_ssrc(self) -> Ssrc | None: ...
    @property
    def encoding(self) -> int | None: ...

    # The producer must come from the same engine; which class that is, only the engine knows: hence Any.
    def attach(self, producer: Any) -> bool: ...
    def detach(self) -> None: ...
    def set_layers(self, encoding: int, temporal: int) -> None: ...
    def close(self) -> None: ...


class TransportListener(Protocol):
    """Who hears what becomes of a transport; not called for our own `close()`."""

    def on_connected(self) -> None: ...
    def on_silent(self, *, now: float) -> None:
        """No sign of life came on the media path for some seconds. `now` is monotonic seconds."""

    def on_alive(self) -> None:
        """A sign of life came again; media flows."""

    def on_closed(self, reason: str) -> None: ...


class PathCounters(Protocol):
    """What is known of the way to a client and back; times in seconds, 0 where nothing is known."""

    @property
    def received(self) -> int:
        """Packets that came, since the start."""

    @property
    def lost(self) -> int:
        """Packets that did not come, before repair; may shrink when late ones come."""

    @property
    def sent(self) -> int:
        """Packets that went out in the slots that carry something now."""

    @property
    def loss_out(self) -> float:
        """The part of what we sent that the client's last reports missed, 0 to 1."""

    @property
    def jitter_in_s(self) -> float: ...
    @property
    def jitter_out_s(self) -> float: ...
    @property
    def round_trip_s(self) -> float: ...


class PathEstimate(Protocol):
    """What the way to one client carries, as its feedback has it."""

    @property
    def bitrate_bps(self) -> int:
        """Of UDP payloads, sound and repair included; it lags what the path could carry while little is sent."""

    @property
    def loss(self) -> float:
        """The part of the last packets that did not come, 0 to 1, before repair."""

    @property
    def round_trip_s(self) -> float: ...


class Transport(Protocol):
    """One ICE + DTLS + SRTP pipe to one client."""

    @property
    def local(self) -> LocalTransport: ...
    @property
    def path(self) -> PathCounters: ...
    @property
    def estimate(self) -> PathEstimate | None:
        """What was last told of the way to the client; None as long as it sent no feedback that tells."""

    def want(self, bitrate_bps: int) -> None:
        """Say how much could be used: as long as the estimate is below, the path is probed for more. 0: never."""

    def restart_ice(self, remote: IceCredentials) -> LocalTransport: ...
    def add_extensions(self, extensions: dict[int, str]) -> None: ...
    def produce(self, parameters: ProducerParameters) -> Producer: ...
    def consume(self, parameters: ConsumerParameters) -> Consumer: ...
    def close(self) -> None: ...


class Router(Protocol):
    """The crossbar of one room."""

    on_levels: Callable[[Sequence[tuple[Any, bytes]], float], None] | None
    """Called some ten times a second with the producers that were audible since, maybe none, and `now`.

    Of each the levels of its last packets, oldest first: -dBov below a voice bit, as in RFC 6464.
    """

    on_estimates: Callable[[Sequence[tuple[Any, Any]], float], None] | None
    """Called some five times a second with the transports whose estimate changed noticeably, and `now`.

    Each with its `PathEstimate`; which class that is, only the engine knows.
    """

    def create_transport(self, remote: RemoteTransport, listener: TransportListener) -> Transport: ...
    def close(self) -> None: ...


class MediaEngine(Protocol):
    """The engine as far as signalling knows it; who starts and closes it is the composition root."""

    def create_router(self) -> Router: ...


class RoomObserver(Protocol):
    """Who keeps a record of what happens in rooms.

    Called in the order in which things happen, before anybody in the room is told; it returns when the fact is kept
    as safely as it is meant to be. An observer that raises ends the server's trust in it, not the class: the error is
    logged, and the room goes on.
    """

    def room_started(self, fact: RoomFact) -> None: ...
    def room_ended(self, fact: RoomFact) -> None: ...
    def participant_joined(self, fact: ParticipantFact) -> None: ...
    def participant_left(self, fact: LeftFact) -> None: ...
    def participant_suspended(self, fact: ParticipantFact) -> None:
        """The connection broke; the participant may come back for a while, and is still in the room."""

    def participant_resumed(self, fact: ParticipantFact) -> None: ...
    def track_published(self, fact: TrackFact) -> None: ...
    def track_unpublished(self, fact: TrackFact) -> None: ...
    def recording_started(self, fact: RecordingFact) -> None: ...
    def recording_paused(self, fact: RecordingFact) -> None: ...
    def recording_resumed(self, fact: RecordingFact) -> None: ...
    def recording_stopped(self, fact: RecordingFact) -> None: ...


class RecorderUnavailableError(Exception):
    """No recording can be started at present; the message says why."""


class Recording(Protocol):
    """A recording under way. None of this waits: what fails later is told to `on_failed`."""

    def pause(self) -> None:
        """Keep nothing of what is said from now on."""

    def resume(self) -> None: ...
    def stop(self) -> None:
        """End it; `on_failed` is not called any more."""


class Recorder(Protocol):
    """Who records rooms."""

    def start(self, room: RoomName, recording: RecordingId, on_failed: Callable[[str], None]) -> Recording:
        """Begin to record a room; raises RecorderUnavailableError. `on_failed` is called if it ends by itself."""


__all__ = [
    "Consumer",
    "EncodingState",
    "MediaEngine",
    "MediaKind",
    "Mid",
    "PathCounters",
    "PathEstimate",
    "Producer",
    "Recorder",
    "RecorderUnavailableError",
    "Recording",
    "RoomObserver",
    "Router",
    "Transport",
    "TransportListener",
]
