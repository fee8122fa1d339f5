"""One receive section of one viewer: what is wanted there, what is shown, and what the client was last told."""

from __future__ import annotations

from media.rtp.parameters import MediaKind, Mid
from signaling.identifiers import SlotKind, Source, TrackId
from signaling.layers import (
    LOWEST,
    TEMPORAL_ALL,
    Rendition,
    choose_encoding,
    choose_rendition,
    choose_temporal_layer,
    default_height,
)
from signaling.ports import Consumer
from signaling.server_messages import SlotView
from signaling.slots import Choice, Wish
from signaling.track import Track


class Slot:
    """Empty and automatic at first. The consumer is fed by `show` and by nobody else."""

    def __init__(self, mid: Mid, kind: SlotKind, consumer: Consumer) -> None:
        self.mid = mid
        self.kind = kind
        self.consumer = consumer
        self.wish: Wish = Choice.AUTOMATIC
        self.wanted_height: float | None = None
        self.wanted_frame_rate: float | None = None
        self.rendition: Rendition | None = None
        """If set, it decides and no height does."""
        self.track: Track | None = None
        self.allotted = False
        """Whether `send` said what is sent of what is shown; as long as it did not, what is wanted is sent, or, of a
        viewer whose layers are allotted, the least."""
        self.paused = False
        """Nothing is sent of what is shown: the network carries no more."""
        self._soon = False
        """Of a pause: it ends within a second, and is not worth telling."""
        self._waits = False
        self._hoped = LOWEST
        self._layers: tuple[int, int] | None = None
        self._told: SlotView | None = None

    @property
    def shown(self) -> TrackId | None:
        return None if self.track is None else self.track.id

    def show(self, track: Track) -> bool:
        """Feed the slot from this track; False (and an empty slot) if the client cannot take its codec here.

        Also for the track that is shown already, after its codec became known or changed.
        """
        if self.track is not track:
            self.consumer.detach()
        self.track = track
        self._hoped = LOWEST
        self.allotted = self.paused = False
        self._layers = None
        self.choose_layers()  # before attaching, which asks for a key frame of the encoding that is wanted
        if not self.consumer.attach(track.producer):
            self.consumer.detach()
            self.track = None
            return False
        return True

    def clear(self) -> None:
        """Show nothing."""
        if self.track is not None:
            self.consumer.detach()
            self.track = None

    @property
    def layers(self) -> tuple[int, int] | None:
        """The encoding and the highest temporal layer that the engine was asked for; None if nothing is to be sent."""
        return None if self.track is None or self.paused else self._layers

    def await_allotment(self, waits: bool) -> None:
        """From now on wait with all but the least for `send` to say what is sent, or send what is wanted."""
        if waits != self._waits:
            self._waits = waits
            self.allotted = waits and self._layers is not None
            if not waits:
                self._soon = False
                self._resume()
                self.choose_layers()

    def choose_layers(self) -> None:
        """Ask the engine for the encoding and frame rate that fit what is wanted, unless somebody else says."""
        if self.track is None or self.track.kind is MediaKind.AUDIO:
            return
        if not self._waits:
            self._set_layers(self.wanted_layers())
        elif self._layers is None:
            self._set_layers((LOWEST, TEMPORAL_ALL))

    def wanted_layers(self, *, height_max: float | None = None, frame_rate_max: float | None = None) -> tuple[int, int]:
        """Return the encoding and the highest temporal layer that fit what is wanted, and limits of cameras."""
        track = self.track
        assert track is not None
        if track.source is Source.SCREEN:
            height_max = None
        return (
            self._choose_encoding(track, height_max),
            choose_temporal_layer(_least(self.wanted_frame_rate, frame_rate_max)),
        )

    def take_hope(self) -> int | None:
        """Return the encoding that is wanted if it is a higher one than when this was called last, else None."""
        before, self._hoped = self._hoped, self.wanted_layers()[0]
        return self._hoped if self._hoped > before else None

    def send(self, layers: tuple[int, int] | None, *, soon: bool = False) -> bool:
        """Send an encoding of what is shown up to a temporal layer, or nothing (`soon`: yet).

        Returns whether a pause begins or ends.
        """
        if self.track is None:
            return False
        self.allotted = True
        before = self.paused, self._soon
        self._soon = soon and layers is None
        if layers is not None:
            self._set_layers(layers)
            self._resume()
        elif not self.paused:
            self.paused = True
            self.consumer.detach()
        return (self.paused, self._soon) != before

    def forget_told(self) -> None:
        """Have the next `take_change` return what the slot shows, whatever the client was told."""
        self._told = None

    def take_change(self) -> SlotView | None:
        """Return what the slot shows if that is not what the client knows; it is then taken as told."""
        view = self._view()
        if view == self._told:
            return None
        self._told = view
        return view

    def _set_layers(self, layers: tuple[int, int]) -> None:
        if layers != self._layers:
            self._layers = layers
            self.consumer.set_layers(*layers)

    def _resume(self) -> None:
        if self.paused and self.track is not None:
            self.paused = False
            if self._layers is not None:
                self.consumer.set_layers(*self._layers)
            self.consumer.attach(self.track.producer)

    def _choose_encoding(self, track: Track, height_max: float | None) -> int:
        heights = [encoding.height for encoding in track.encodings]
        if self.rendition is not None:
            chosen = choose_rendition([encoding.rid for encoding in track.encodings], self.rendition)
            if height_max is None:
                return chosen
            most = choose_encoding(
                heights, wanted_height=height_max, declared_height=track.declared_height, source=track.source
            )
            return min(chosen, most)
        usual_height = None if self.kind is SlotKind.STAGE else default_height(track.source)
        return choose_encoding(
            heights,
            wanted_height=_least(self.wanted_height or usual_height, height_max),
            declared_height=track.declared_height,
            source=track.source,
        )

    def _view(self) -> SlotView:
        track = self.track
        if track is None:
            return SlotView(mid=self.mid, track=None, participant=None, encoding=None)
        if self.paused:
            rests = not self._soon
            return SlotView(mid=self.mid, track=track.id, participant=track.owner, encoding=None, paused=rests)
        flowing, encodings = self.consumer.encoding, track.encodings
        known = flowing is not None and 0 <= flowing < len(encodings)
        rid = encodings[flowing].rid if flowing is not None and known else None
        return SlotView(mid=self.mid, track=track.id, participant=track.owner, encoding=rid)


def _least(wanted: float | None, most: float | None) -> float | None:
    """Return the lower one; None is no limit."""
    return wanted if most is None else most if wanted is None else min(wanted, most)
