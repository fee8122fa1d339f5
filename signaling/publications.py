"""The tracks of a room: who publishes what, and who must be told and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from media.rtp.parameters import MediaKind, Mid
from signaling.bitrates import BitrateLimits
from signaling.client_messages import Mute, Publish, Unpublish, View
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import Source, TrackId
from signaling.lineup import Lineup
from signaling.outbox import Outbox
from signaling.participant import Participant
from signaling.policy import audience_of, check_publish
from signaling.record import Note, NoteKind
from signaling.server_messages import Layers, TrackChanged
from signaling.track import Track
from signaling.viewer import Viewer

VIEWERS_A_TURN: Final = 200
"""Whose audio slots are filled at a time, some 10 ms: in a lecture of a thousand others have a turn in between."""


class Publications:
    """All live and muted tracks, oldest first. Each change is told to everybody and moves the slots that it must."""

    def __init__(
        self,
        outbox: Outbox,
        viewers: Callable[[], Iterable[Viewer]],
        *,
        new_id: Callable[[], str],
        bitrates: Callable[[], BitrateLimits],
    ) -> None:
        """`bitrates` returns the limits that hold now."""
        self.tracks: Lineup[Track] = Lineup()
        self._outbox = outbox
        self._viewers = viewers
        self._new_id = new_id
        self._bitrates = bitrates
        self._published = 0
        self._audio_moves = False
        self._unsettled: set[Viewer] = set()
        """Whose audio slots are to be filled at the next turns."""

    def publish(self, publisher: Participant, request: Publish) -> None:
        """Make a track of a section; raises RequestError."""
        check_publish(publisher.grants, request.source)
        mid = Mid(request.mid)
        producer = publisher.link.producers.get(mid)
        if producer is None:
            raise RequestError(ErrorCode.UNKNOWN_SECTION, f"section {mid!r} is not one that you offered to send on")
        if publisher.link.kind(mid) is not request.source.kind:
            raise RequestError(
                ErrorCode.WRONG_KIND, f"{request.source.value} needs a section of {request.source.kind.value}"
            )
        if mid in publisher.tracks:
            raise RequestError(ErrorCode.SECTION_BUSY, f"section {mid!r} carries track {publisher.tracks[mid].id!r}")
        self._published += 1
        track = Track(
            TrackId(self._new_id()),
            owner=publisher.id,
            owner_order=publisher.order,
            owner_role=publisher.grants.role,
            publication_order=self._published,
            request=request,
            audience=audience_of(publisher.grants, request.source, request.audience),
            producer=producer,
        )
        track.sending.limit(self._bitrates().of(request.source))
        publisher.tracks[mid] = track
        self.tracks.add(track)
        producer.on_change = lambda: self._change(track)
        self._outbox.note(Note(NoteKind.TRACK_PUBLISHED, publisher.who(), track=track.id, source=track.source))
        self._tell(track, re=request.id)
        self.tell_layers(track)
        for viewer in self._viewers():
            viewer.add_track(track, self.tracks)
        self.arrange_audio()

    def want_encoding(self, track: Track, index: int, active: bool) -> None:
        """Say whether an encoding of a track is wanted; the publisher is told if that is news."""
        if track.sending.want(index, active):
            self.tell_layers(track)

    def tell_layers(self, track: Track) -> None:
        """Tell a publisher, again, what it is asked to send of its track."""
        self._outbox.tell(track.owner, Layers(track=track.id, encodings=track.sending.view()))

    def remind(self, publisher: Participant) -> None:
        """Tell a publisher who comes back what it is asked to send of all its tracks."""
        for track in publisher.tracks.values():
            self.tell_layers(track)

    def limit(self) -> None:
        """Have other limits of the room hold for the tracks that there are."""
        for track in self.tracks:
            if track.sending.limit(self._bitrates().of(track.source)):
                self.tell_layers(track)

    def mute(self, publisher: Participant, request: Mute) -> None:
        """Stop or go on with a track; raises RequestError."""
        track = self._own(publisher, request.track)
        self._set_muted(track, request.muted)
        self._tell(track, re=request.id)

    def mute_source(self, publisher: Participant, source: Source) -> None:
        """Stop the tracks of one source of somebody, who may go on with them."""
        for track in [each for each in publisher.tracks.values() if each.source is source]:
            if not track.muted:
                self._set_muted(track, True)
                self._tell(track, re=None)

    def mute_track(self, track_id: str) -> None:
        """Stop a track, whoever's it is, who may go on with it; raises RequestError."""
        track = self.tracks.get(TrackId(track_id))
        if track is None:
            raise RequestError(ErrorCode.UNKNOWN_TRACK, f"there is no track {track_id!r} in this room")
        if not track.muted:
            track.set_muted(True)
            self._tell(track, re=None)

    def end_forbidden(self, publisher: Participant) -> None:
        """End the tracks that their owner may not publish any more."""
        for track in list(publisher.tracks.values()):
            if track.source not in publisher.grants.publish:
                self.end(publisher, track)

    def unpublish(self, publisher: Participant, request: Unpublish) -> None:
        """End a track; raises RequestError."""
        self.end(publisher, self._own(publisher, request.track), re=request.id)

    def end(self, publisher: Participant, track: Track, *, re: int | None = None) -> None:
        """End a track, tell everybody, and give its slots to others."""
        self._outbox.note(Note(NoteKind.TRACK_UNPUBLISHED, publisher.who(), track=track.id, source=track.source))
        self._remove(publisher, [track])
        self._tell(track, re=re)

    def withdraw(self, publisher: Participant) -> None:
        """End all tracks of a participant without a word about them: `left` says so."""
        self._remove(publisher, list(publisher.tracks.values()))

    def choose(self, viewer: Viewer, request: View) -> None:
        """Show a viewer what it asks for; raises RequestError."""
        viewer.wish(request.slots, self.tracks)

    def introduce(self, viewer: Viewer) -> None:
        """Show a viewer that is new, has new slots or may see others than before, what there is."""
        viewer.reconsider(self.tracks)

    def arrange_audio(self) -> None:
        """Have the audio line put in order by the next `settle`: something about it changed, and more may."""
        self._audio_moves = True
        self._outbox.wake()

    def settle(self) -> None:
        """Bring those who are in front of the audio line now into the slots, of so many viewers a turn."""
        if not (self._audio_moves or self._unsettled):
            return
        moved = self.tracks.arrange_audio()
        concerned = [
            viewer for viewer in self._viewers() if viewer in self._unsettled or viewer.is_concerned_by_audio(moved)
        ]
        for viewer in concerned[:VIEWERS_A_TURN]:
            viewer.fill_audio(self.tracks)
        self._audio_moves = False
        self._unsettled = set(concerned[VIEWERS_A_TURN:])
        if self._unsettled:
            self._outbox.wake()

    def _set_muted(self, track: Track, muted: bool) -> None:
        if track.kind is MediaKind.AUDIO and track.muted and not muted:
            self.tracks.audio.take_turn(track.id)  # who unmutes is about to speak
        track.set_muted(muted)
        self.arrange_audio()
        if track.kind is MediaKind.VIDEO:
            for viewer in self._viewers():
                viewer.note_mute(track)

    def _change(self, track: Track) -> None:
        codec_changed, sending_changed = track.look()
        if sending_changed:
            self.tell_layers(track)
        for viewer in self._viewers():
            viewer.change_track(track, self.tracks, codec_changed=codec_changed)
        if track.view() != track.told:
            self._tell(track, re=None)

    def _remove(self, publisher: Participant, tracks: Sequence[Track]) -> None:
        if not tracks:
            return  # most of a lecture only listens: nothing changes for anybody when one of them goes
        for track in tracks:
            track.end()
            track.producer.on_change = None
            del publisher.tracks[track.mid]
            self.tracks.remove(track)
        ended = {track.id for track in tracks}
        for viewer in self._viewers():
            viewer.remove_tracks(ended, self.tracks)
        self.arrange_audio()

    def _tell(self, track: Track, *, re: int | None) -> None:
        """Tell everybody; the publisher's own copy answers the request."""
        view = track.told = track.view()
        seq = self._outbox.next_seq()
        self._outbox.tell(track.owner, TrackChanged(seq=seq, participant=track.owner, track=view, re=re))
        self._outbox.announce(TrackChanged(seq=seq, participant=track.owner, track=view), but=track.owner)

    def _own(self, publisher: Participant, track_id: str) -> Track:
        track = self.tracks.get(TrackId(track_id))
        if track is None or track.owner != publisher.id:
            raise RequestError(ErrorCode.UNKNOWN_TRACK, f"you have no track {track_id!r}")
        return track
