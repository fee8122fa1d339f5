"""One publication: what a participant sends on one section, and how the room sees it."""

from __future__ import annotations

from collections.abc import Sequence

from media.rtp.parameters import MediaKind, Mid
from signaling.client_messages import Publish
from signaling.identifiers import ParticipantId, Role, TrackId
from signaling.ports import EncodingState, Producer
from signaling.sending import Sending
from signaling.server_messages import TrackState, TrackView
from signaling.sizes import Sizes


class Track:
    """A track from `publish` until it ends. The producer belongs to the section and outlives it, paused."""

    def __init__(
        self,
        track_id: TrackId,
        *,
        owner: ParticipantId,
        owner_order: int,
        owner_role: Role,
        publication_order: int,
        request: Publish,
        audience: frozenset[Role] | None,
        producer: Producer,
    ) -> None:
        """`audience`: for whom the track is, None for everybody."""
        self.id = track_id
        self.owner = owner
        self.owner_order = owner_order
        self.owner_role = owner_role
        self.audience = audience
        self.publication_order = publication_order
        self.source = request.source
        self.mid = Mid(request.mid)
        self.producer = producer
        self.codec = producer.codec
        self.encodings: Sequence[EncodingState] = tuple(producer.encodings)
        """As of the last `look`: asking the engine costs a lock, and every viewer wants to know."""
        self._sizes = Sizes()
        self.sending = Sending([each.rid for each in self.encodings if each.rid is not None] or [None])
        """What the publisher is asked to send. The sizes of a layered stream are one encoding."""
        self._take_encodings()
        self._declared = (request.width, request.height)
        self._state: TrackState = "live"
        self.set_muted(request.muted)
        self.told = self.view()
        """As the room knows it."""

    @property
    def kind(self) -> MediaKind:
        return self.source.kind

    @property
    def muted(self) -> bool:
        return self._state == "muted"

    @property
    def asked(self) -> tuple[bool, ...]:
        """Of each of `encodings` whether the publisher is asked to send it, lowest first."""
        return self.sending.asked

    @property
    def received_bytes(self) -> Sequence[int]:
        """What came of each of `encodings` since the start; it costs a lock."""
        return self._sizes.keep_bytes(self.producer.offered_bytes)

    def set_muted(self, muted: bool) -> None:
        """Stop or go on with forwarding; a muted track keeps its slots."""
        self._state = "muted" if muted else "live"
        if muted:
            self.producer.pause()
        else:
            self.producer.resume()

    def end(self) -> None:
        """Stop for good; the section is free for another track."""
        self._state = "ended"
        self.producer.pause()

    def look(self) -> tuple[bool, bool]:
        """Take note of what the engine knows now.

        Returns whether the codec is another one, and whether the publisher is to be told anew what to send.
        """
        codec_changed = self.producer.codec != self.codec
        self.codec = self.producer.codec
        if codec_changed:
            self._sizes.forget()
        self.encodings = tuple(self.producer.encodings)
        return codec_changed, self._take_encodings()

    def _take_encodings(self) -> bool:
        """Take `encodings` as the engine tells them; return whether the publisher is to be told anew what to send."""
        if len(self.sending.rids) > 1:
            return False
        self.encodings = self._sizes.keep(self.encodings)
        return self.sending.divide([each.height for each in self.encodings])

    @property
    def declared_height(self) -> int | None:
        """As the publisher said it."""
        return self._declared[1]

    def view(self) -> TrackView:
        """Return the track as it is told to the room."""
        encodings = self.encodings
        width, height = self._declared
        if encodings and (width is None or height is None):
            width, height = encodings[-1].width or width, encodings[-1].height or height
        return TrackView(
            id=self.id,
            source=self.source,
            kind=self.kind,
            state=self._state,
            codec=self.codec,
            width=width,
            height=height,
            encodings=tuple(encoding.rid for encoding in encodings if encoding.rid is not None),
            audience=() if self.audience is None else tuple(role for role in Role if role in self.audience),
        )
