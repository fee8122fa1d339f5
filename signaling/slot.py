"""One receive section of one viewer: what is wanted there, what is shown, and what the client was last told."""

from __future__ import annotations

from media.rtp.parameters import MediaKind, Mid
from signaling.identifiers import SlotKind, TrackId
from signaling.layers import Rendition, choose_encoding, choose_rendition, choose_temporal_layer, default_height
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

    def choose_layers(self) -> None:
        """Ask the engine for the encoding and frame rate that fit what is wanted, if that is something new."""
        track = self.track
        if track is None or track.kind is MediaKind.AUDIO:
            return
        layers = (self._choose_encoding(track), choose_temporal_layer(self.wanted_frame_rate))
        if layers != self._layers:
            self._layers = layers
            self.consumer.set_layers(*layers)

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

    def _choose_encoding(self, track: Track) -> int:
        if self.rendition is not None:
            return choose_rendition([encoding.rid for encoding in track.encodings], self.rendition)
        usual_height = None if self.kind is SlotKind.STAGE else default_height(track.source)
        return choose_encoding(
            [encoding.height for encoding in track.encodings],
            wanted_height=self.wanted_height or usual_height,
            declared_height=track.declared_height,
        )

    def _view(self) -> SlotView:
        track = self.track
        if track is None:
            return SlotView(mid=self.mid, track=None, participant=None, encoding=None)
        flowing, encodings = self.consumer.encoding, track.encodings
        known = flowing is not None and 0 <= flowing < len(encodings)
        rid = encodings[flowing].rid if flowing is not None and known else None
        return SlotView(mid=self.mid, track=track.id, participant=track.owner, encoding=rid)
