"""What one participant sees and hears: its slots, its wishes, and the tracks that fill them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import UNSET

from media.rtp.parameters import MediaKind, Mid
from signaling.client_messages import AUTOMATIC, ViewRequest
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, SlotKind, TrackId
from signaling.layers import Rendition
from signaling.lineup import Lineup
from signaling.policy import may_receive, may_see
from signaling.ports import Consumer
from signaling.server_messages import SlotView
from signaling.slot import Slot
from signaling.slots import Choice, Wish, assign, may_come_in
from signaling.track import Track

Tracks: TypeAlias = Lineup[Track]


class Viewer:
    """The slots of one participant. After each call that may move something, `take_changes` tells what did."""

    def __init__(self, owner: ParticipantId, *, grants: Grants, changed: Callable[[], None]) -> None:
        """`changed` is called when `take_changes` is worth a call."""
        self._owner = owner
        self.grants = grants
        """What may be seen; after a change of it, `reconsider`."""
        self._changed = changed
        self._slots: dict[Mid, Slot] = {}
        self._is_allotted = False
        self._hidden: set[TrackId] = set()
        """Tracks that are never shown: the viewer's own, and those whose codec fits no section."""
        self._forbidden: set[TrackId] = set()
        """Tracks that are not for this viewer."""

    def add_slot(self, mid: Mid, kind: SlotKind, consumer: Consumer) -> None:
        """Take a new receive section; empty until the next `refresh`."""
        slot = self._slots[mid] = Slot(mid, kind, consumer)
        slot.await_allotment(self._is_allotted)
        consumer.on_switch = lambda _encoding: self._changed()
        self._changed()

    @property
    def slots(self) -> Iterable[Slot]:
        """All slots, in the order of their sections."""
        return self._slots.values()

    def await_allotment(self, waits: bool) -> None:
        """Have slots wait for `Slot.send`, or send what is wanted in them."""
        if waits != self._is_allotted:
            self._is_allotted = waits
            for slot in self._slots.values():
                slot.await_allotment(waits)
            self._changed()

    def send(self, layers: Mapping[Mid, tuple[int, int] | None], *, soon: Container[Mid] = ()) -> None:
        """Send so much of what slots show: an encoding up to a temporal layer, or nothing, in some of them yet."""
        changes = [self._slots[mid].send(each, soon=mid in soon) for mid, each in layers.items()]
        if any(changes):
            self._changed()

    def remove_slot(self, mid: Mid) -> None:
        """Forget a section that is gone; its consumer is closed by its owner."""
        self._slots.pop(mid, None)

    def slot_kind(self, mid: Mid) -> SlotKind | None:
        """Return what a section is for, None if it is no slot."""
        slot = self._slots.get(mid)
        return None if slot is None else slot.kind

    def wish(self, requests: Sequence[ViewRequest], tracks: Tracks) -> None:
        """Note what the client wants to see, all or nothing; raises RequestError."""
        wishes = [self._check_wish(request, tracks) for request in requests]
        for request, (slot, wish) in zip(requests, wishes, strict=True):
            slot.wish = wish
            if request.height is not UNSET:
                slot.wanted_height = request.height
            if request.frame_rate is not UNSET:
                slot.wanted_frame_rate = request.frame_rate
        self.refresh(tracks)
        for slot, _ in wishes:
            slot.choose_layers()
        self._changed()

    def prefer(self, rendition: Rendition) -> None:
        """Take this encoding of whatever is shown, in all slots that there are."""
        for slot in self._slots.values():
            slot.rendition = rendition
            slot.choose_layers()
        self._changed()

    def reconsider(self, tracks: Tracks) -> None:
        """Find out anew what may be seen, and show that and nothing else."""
        self._forbidden = {track.id for track in tracks if not self._may_see(track)}
        self.refresh(tracks)

    def forget_told(self) -> None:
        """Have the next `take_changes` return all slots: the client does not know what it was told."""
        for slot in self._slots.values():
            slot.forget_told()
        self._changed()

    def refresh(self, tracks: Tracks) -> None:
        """Fill the slots by the rules of `slots.assign`; a track that cannot be played is passed over."""
        # Ends: each round but the last hides at least one more track.
        while refused := self._show(tracks, self._slots.values()):
            self._hidden |= refused

    def add_track(self, track: Track, tracks: Tracks) -> None:
        """Take note of a new track, and show it if a slot is free for it; sound waits for `fill_audio`."""
        if track.owner == self._owner:
            self._hidden.add(track.id)
        elif not self._may_see(track):
            self._forbidden.add(track.id)
        elif track.kind is MediaKind.VIDEO and may_come_in(track, list(self._slots.values())):
            self.refresh(tracks)

    def is_concerned_by_audio(self, moved: range) -> bool:
        """Return whether it can make a difference to the audio slots what moved in the line of tracks."""
        slots = [slot for slot in self._slots.values() if slot.kind is SlotKind.AUDIO]
        automatic = sum(slot.wish is Choice.AUTOMATIC for slot in slots)
        passed_over_max = len(self._hidden) + len(self._forbidden) + len(slots) - automatic
        # Not if it lies behind all that the slots can reach, or all of it is in the slots before and after.
        return bool(automatic) and moved.start < automatic + passed_over_max and moved.stop > automatic

    def fill_audio(self, tracks: Tracks) -> None:
        """Fill the audio slots anew."""
        slots = [slot for slot in self._slots.values() if slot.kind is SlotKind.AUDIO]
        while refused := self._show(tracks, slots):
            self._hidden |= refused

    def change_track(self, track: Track, tracks: Tracks, *, codec_changed: bool) -> None:
        """Take note of another codec, or of encodings that came, went or changed their size."""
        if codec_changed and track.owner != self._owner:
            self._try_again(track, tracks)
        for slot in self._slots.values():
            if slot.track is track:
                slot.choose_layers()
                self._changed()

    def note_mute(self, track: Track) -> None:
        """Take note that a track is muted, or is not any more."""
        if any(slot.track is track for slot in self._slots.values()):
            self._changed()

    def remove_tracks(self, ended: Collection[TrackId], tracks: Tracks) -> None:
        """Forget tracks that ended (`tracks` is without them); a slot that one was pinned to becomes automatic."""
        self._hidden.difference_update(ended)
        self._forbidden.difference_update(ended)
        affected = False
        for slot in self._slots.values():
            if slot.wish in ended:
                slot.wish = Choice.AUTOMATIC
                affected = True
            affected = affected or slot.shown in ended
        if affected:
            self.refresh(tracks)

    def take_changes(self) -> tuple[SlotView, ...]:
        """Return the slots that show something else than the client was told; at first that is all of them."""
        changes = (slot.take_change() for slot in self._slots.values())
        return tuple(change for change in changes if change is not None)

    def _may_see(self, track: Track) -> bool:
        seen = may_see(self.grants, owner=track.owner_role, source=track.source, audience=track.audience)
        return seen and may_receive(self.grants)

    def _show(self, tracks: Tracks, slots: Iterable[Slot]) -> set[TrackId]:
        """Bring slots to what they should show, all of a kind together; return the tracks that could not be played."""
        refused: set[TrackId] = set()
        for mid, track_id in assign(list(slots), tracks, hidden=self._hidden | self._forbidden).items():
            slot = self._slots[mid]
            if slot.shown == track_id:
                continue
            self._changed()
            if track_id is None:
                slot.clear()
            elif not slot.show(tracks[track_id]):
                refused.add(track_id)
        return refused

    def _try_again(self, track: Track, tracks: Tracks) -> None:
        if track.id in self._hidden:
            self._hidden.discard(track.id)
            self.refresh(tracks)
            return
        fits = [slot.show(track) for slot in self._slots.values() if slot.track is track]
        if not all(fits):
            self._hidden.add(track.id)
            self._changed()
            self.refresh(tracks)

    def _check_wish(self, request: ViewRequest, tracks: Tracks) -> tuple[Slot, Wish]:
        slot = self._slots.get(Mid(request.mid))
        if slot is None:
            raise RequestError(ErrorCode.UNKNOWN_SLOT, f"section {request.mid!r} is not one of your slots")
        if request.track is UNSET:
            return slot, slot.wish
        if request.track is None:
            return slot, Choice.EMPTY
        if request.track == AUTOMATIC:
            return slot, Choice.AUTOMATIC
        track = tracks.get(TrackId(request.track))
        if track is None:
            raise RequestError(ErrorCode.UNKNOWN_TRACK, f"there is no track {request.track!r} in this room")
        if track.owner == self._owner:
            raise RequestError(ErrorCode.NOT_ALLOWED, "a slot does not show your own track")
        if not self._may_see(track):
            raise RequestError(ErrorCode.NOT_ALLOWED, f"track {request.track!r} is not for you")
        if track.kind is not slot.kind.kind:
            raise RequestError(
                ErrorCode.WRONG_KIND, f"slot {request.mid!r} takes {slot.kind.kind.value}, the track does not"
            )
        return slot, track.id
