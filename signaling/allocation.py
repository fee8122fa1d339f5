"""Who is sent how much of what: each viewer what its own path carries, each publisher asked for what somebody needs.

A viewer of whose path nothing is known gets what it wants. `touch` what changed; `settle` does the work, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from media.bwe.allocator import CLIMB_MARGIN, Allocation, Layer, SlotWish, allocate
from media.rtp.parameters import MediaKind, Mid
from signaling.allocation_budget import Budget
from signaling.allocation_changes import Change, compare, held, in_turn, keep_one_camera, late
from signaling.allocation_demand import Demand
from signaling.allocation_levels import SERVINGS
from signaling.allocation_rates import LOOK_S, Rates
from signaling.allocation_wishes import AUDIO_USUAL_BPS, PINNED_MAX, Offers, rank_of
from signaling.identifiers import ParticipantId, SlotKind, TrackId
from signaling.levels import Level
from signaling.members import Members
from signaling.outbox import Outbox
from signaling.participant import Participant
from signaling.ports import PathEstimate
from signaling.publications import Publications
from signaling.slot import Slot
from signaling.slots import Choice
from signaling.track import Track

VIEWERS_A_TURN: Final = 200
"""Whose slots are allotted at a time, some 10 ms: in a lecture of a thousand others have a turn in between."""

PROBE_AHEAD_BPS: Final = 2_500_000
"""So much is looked for, if the tracks that are shown have it, even while less of them is wanted: who enlarges one
is not to wait for a probe."""

TURN_S: Final = 0.4
"""Between the turns of those who climb one after the other: a round trip, and a key frame through a narrow path."""

PROBE_NEWS: Final = 0.05
"""A change of what could be used, as a part of it, that is not worth telling the engine."""


class Allocations:
    """Of one room. `now` is monotonic seconds; where there is none, the last that was told counts."""

    def __init__(
        self,
        outbox: Outbox,
        members: Members,
        publications: Publications,
        *,
        spotlight: Callable[[], Sequence[ParticipantId]],
        speaking: Callable[[], Sequence[TrackId]],
        limit_quality: Callable[[ParticipantId, Level | None], None],
    ) -> None:
        """`limit_quality` says that somebody's connection is no better than this."""
        self._outbox = outbox
        self._members = members
        self._publications = publications
        self._spotlight = spotlight
        self._speaking = speaking
        self._limit_quality = limit_quality
        self._rates = Rates()
        self._offers = Offers(self._rates)
        self.demand = Demand(self._ask)
        self._budgets: dict[ParticipantId, Budget] = {}
        self._probed_bps: dict[ParticipantId, int] = {}
        self._by_transport: dict[int, ParticipantId] = {}
        self._touched: dict[ParticipantId, None] = {}
        self._turns: dict[ParticipantId, float] = {}
        """When the next slots of somebody climb."""
        self._speaker: ParticipantId | None = None
        self._look_at = 0.0
        self._now = 0.0

    def budget(self, participant: ParticipantId) -> Budget | None:
        """Return what is known of the path to somebody, None if nothing was ever sent there."""
        return self._budgets.get(participant)

    def pass_time(self, *, now: float) -> None:
        """Take note of the time."""
        self._now = max(self._now, now)

    def hear(self, estimates: Sequence[tuple[Any, PathEstimate]], now: float) -> None:
        """Take what the engine estimates that transports carry."""
        self.pass_time(now=now)
        for transport, estimate in estimates:
            participant = self._find(transport)
            if participant is not None and self._budget(participant.id).estimate(estimate.bitrate_bps, now=now):
                self.touch(participant.id)

    def limit(self, participant: Participant, limit: Level | None) -> None:
        """Send somebody no more than this level stands for; None: whatever the path carries."""
        self._budget(participant.id).limit = limit
        self.touch(participant.id)

    def touch(self, participant: ParticipantId) -> None:
        """Allot anew at the next `settle`: something about somebody's slots has changed."""
        self._touched[participant] = None
        self._outbox.wake()

    def forget(self, participant: ParticipantId) -> None:
        """Somebody is gone."""
        for known in (self._budgets, self._probed_bps, self._touched, self._turns):
            known.pop(participant, None)

    def clear(self) -> None:
        """The room is over."""
        self._touched.clear()
        self._turns.clear()
        self._by_transport.clear()

    def settle(self) -> None:
        """Allot what was touched, of so many viewers a turn."""
        turn = list(self._touched)[:VIEWERS_A_TURN]
        for each in turn:
            if (participant := self._members.get(each)) is not None:
                self.allot(participant)
            self._touched.pop(each, None)  # by its own changes, too
        if self._touched:
            self._outbox.wake()

    def next_timeout(self) -> float | None:
        """Return when to look next at what publishers send, or whose turn it is; None without tracks."""
        if not any(True for _ in self._publications.tracks):
            return None
        return min([self._look_at, *self._turns.values()])

    def handle_timeout(self, *, now: float) -> None:
        """Look at what publishers send, and at what nobody needs any more, if it is time."""
        self.pass_time(now=now)
        for participant, at in list(self._turns.items()):
            if at <= now:
                self.touch(participant)
        if now >= self._look_at:
            self._look(now)

    def allot(self, participant: Participant) -> None:
        """Divide what the path to somebody carries among what it is shown."""
        now, budget = self._now, self._budget(participant.id)
        self._turns.pop(participant.id, None)
        if participant.link.tells_arrivals:
            budget.assume(now=now)
        elif participant.link.estimates_by_itself:
            budget.reach(now=now)
        governed = budget.limit is not None or budget.carried_bps(now=now) is not None
        participant.viewer.await_allotment(governed)
        slots = {slot.mid: slot for slot in participant.viewer.slots if slot.track is not None}
        sound_bps = self._sound_bps(slots.values())
        wishes = self._wishes(slots, budget.limit)
        wanted_bps = sum(wish.layers[-1].bitrate_bps for wish in wishes if wish.layers)
        if governed:
            shown, soon = self._divide(participant.id, sound_bps, wishes, slots)
            participant.viewer.send(
                {mid: (layer.encoding, layer.temporal) if layer else None for mid, layer in shown.layers.items()},
                soon=soon,
            )
            budget.starves(not shown.used_bps and any(wish.layers for wish in wishes), now=now)
            budget.allotted(shown.used_bps + sound_bps, wanted_bps + sound_bps, now=now)
            self._limit_quality(participant.id, None if budget.level is Level.EXCELLENT else budget.level)
        else:
            budget.allotted(wanted_bps + sound_bps, wanted_bps + sound_bps, now=now)
        for track, slot in _pictures(slots.values()):
            self.demand.need(track, _needs(slot), now=now)
            self._hope(track, slot, budget)
        ahead_bps = min(
            sum(self._offers.costs(track)[-1] for track, _ in _pictures(slots.values()) if not track.muted),
            PROBE_AHEAD_BPS,
        )
        self._probe(participant, max(budget.probe_for_bps, ahead_bps if budget.limit is None else 0))

    def _look(self, now: float) -> None:
        self._look_at = now + LOOK_S
        tracks = list(self._publications.tracks)
        self._rates.look(tracks, now=now)
        moved = {track.id for track in tracks if self._offers.has_moved(track)}
        self._offers.forget()
        self._find_speaker()
        needed: dict[TrackId, set[int]] = {}
        for participant in self._members if tracks else ():  # a class that only waits is not gone through
            budget = self._budgets.get(participant.id)
            concerned = budget is not None and budget.short
            for slot in participant.viewer.slots:
                if slot.track is not None:
                    needed.setdefault(slot.track.id, set()).update(_needs(slot))
                    concerned = concerned or slot.track.id in moved
            if concerned:
                self.touch(participant.id)
        for track_id, encodings in needed.items():
            if (track := self._publications.tracks.get(track_id)) is not None:
                self.demand.need(track, encodings, now=now)
        self.demand.look((each for each in tracks if each.kind is MediaKind.VIDEO), now=now)

    def _wishes(self, slots: dict[Mid, Slot], limit: Level | None) -> list[SlotWish[Mid]]:
        pinned = sum(not isinstance(slot.wish, Choice) for slot in slots.values() if slot.kind is not SlotKind.AUDIO)
        spotlight = self._spotlight()
        serving = None if limit is None else SERVINGS[limit]
        wishes: list[SlotWish[Mid]] = []
        for mid, slot in slots.items():
            track = slot.track
            if track is None or track.kind is MediaKind.AUDIO or track.muted:
                continue
            rank = rank_of(
                source=track.source,
                kind=slot.kind,
                pinned=not isinstance(slot.wish, Choice) and pinned <= PINNED_MAX,
                in_spotlight=track.owner in spotlight,
                speaks=track.owner == self._speaker,
            )
            if serving is None:
                highest, temporal = slot.wanted_layers()
            else:
                highest, temporal = slot.wanted_layers(
                    height_max=serving.height or None, frame_rate_max=serving.frame_rate or None
                )
            offered = (
                () if serving is not None and not serving.height else self._offers.ladder(track, highest, temporal)
            )
            current = Layer(*slot.layers, 0) if slot.allotted and slot.layers is not None else None
            wishes.append(SlotWish(mid, rank, offered, current))
        if serving is not None and serving.speaker_only:
            speaker = {mid for mid, slot in slots.items() if slot.track and slot.track.owner == self._speaker}
            return keep_one_camera(wishes, first=speaker)
        return wishes

    def _divide(
        self, participant: ParticipantId, sound_bps: int, wishes: Sequence[SlotWish[Mid]], slots: Mapping[Mid, Slot]
    ) -> tuple[Allocation[Mid], set[Mid]]:
        """Divide what is left for pictures; return also whose turn to climb comes soon.

        While something falls, and for a while after, nothing else climbs; and not more at a time than is good.
        """
        now, budget = self._now, self._budget(participant)
        left_bps = budget.pictures_bps(sound_bps, now=now)
        if budget.is_tried(now=now):
            return allocate(max(left_bps, _least_bps(wishes)), wishes), set()
        paused = {mid for mid, slot in slots.items() if slot.paused}
        shown = allocate(left_bps, held(wishes, paused=paused) if budget.is_held(now=now) else wishes)
        change = compare(wishes, shown.layers)
        if change is Change.FALL:
            budget.fell(now=now)
            return allocate(left_bps, held(wishes, paused=paused)), set()
        waiting = late(wishes, shown.layers, left_bps=left_bps)
        if waiting:
            shown = allocate(left_bps, in_turn(wishes, shown.layers, waiting))
            self._turns[participant] = now + TURN_S
        if change is Change.CLIMB:
            budget.climbed(now=now)
        return shown, waiting

    def _hope(self, track: Track, slot: Slot, budget: Budget) -> None:
        """Have a publisher begin with what is wanted from now on, while the path is still probed for it.

        If that takes longer than `allocation_demand` waits, the publisher stops again.
        """
        if budget.limit is not None or track.muted or (hoped := slot.take_hope()) is None:
            return
        costs = self._offers.costs(track)
        shown_bps = 0 if slot.layers is None else costs[min(slot.layers[0], len(costs) - 1)]
        if budget.may_carry(budget.used_bps - shown_bps + costs[min(hoped, len(costs) - 1)], now=self._now):
            self.demand.need(track, (hoped,), now=self._now)

    def _sound_bps(self, slots: Any) -> int:
        tracks = (slot.track for slot in slots if slot.kind is SlotKind.AUDIO)
        return sum(
            self._rates.costs(track.id, (AUDIO_USUAL_BPS,))[0]
            for track in tracks
            if track is not None and not track.muted
        )

    def _probe(self, participant: Participant, bitrate_bps: int) -> None:
        """Have the engine look for as much, if that is news."""
        known, transport = self._probed_bps.get(participant.id, 0), participant.link.transport
        if transport is None or abs(bitrate_bps - known) <= PROBE_NEWS * known:
            return
        self._probed_bps[participant.id] = bitrate_bps
        transport.want(bitrate_bps)

    def _find_speaker(self) -> None:
        """Who speaks now, else who spoke last: a pause for breath is no reason to take a picture away."""
        for track_id in self._speaking():
            if (track := self._publications.tracks.get(track_id)) is not None:
                self._speaker = track.owner
                return

    def _find(self, transport: object) -> Participant | None:
        """Return to whom a transport leads."""
        participant = self._members.get(self._by_transport.get(id(transport), ParticipantId("")))
        if participant is None or participant.link.transport is not transport:
            self._by_transport = {id(each.link.transport): each.id for each in self._members}
            participant = self._members.get(self._by_transport.get(id(transport), ParticipantId("")))
        return participant

    def _budget(self, participant: ParticipantId) -> Budget:
        return self._budgets.setdefault(participant, Budget())

    def _ask(self, track_id: TrackId, encoding: int, active: bool) -> None:
        if (track := self._publications.tracks.get(track_id)) is not None:
            self._publications.want_encoding(track, encoding, active)


def _pictures(slots: Iterable[Slot]) -> list[tuple[Track, Slot]]:
    """Return the tracks that are shown, and where."""
    return [(slot.track, slot) for slot in slots if slot.track is not None and slot.kind is not SlotKind.AUDIO]


def _needs(slot: Slot) -> set[int]:
    """Return the encodings that a slot needs: what it is to show, what it shows until that comes, and what is between.

    What it is to show may never come: browsers send no third encoding of a small picture, and stop the largest if their
    way up is narrow. Then the best of the others is shown, unless it was paused.
    """
    flowing = slot.consumer.encoding
    if slot.layers is None:
        return set() if flowing is None else {flowing}
    wanted = slot.layers[0]
    return {wanted} if flowing is None else {flowing, *range(flowing, wanted), wanted}


def _least_bps(wishes: Sequence[SlotWish[Mid]]) -> float:
    """Return what must be left for the first picture to be sent at its least."""
    first = min((wish for wish in wishes if wish.layers), key=lambda wish: wish.rank, default=None)
    return 0.0 if first is None else first.layers[0].bitrate_bps * CLIMB_MARGIN
