"""What a test peer receives on one slot: whose packets, in which numbers, and every fault that a decoder would see."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field

from tests.support.peer_packets import Mark, Picture, read_mark, read_vp8
from tests.support.peer_reception import Reception

REMEMBERED_PACKETS = 128
FAULTS_MAX = 20  # enough to see what is wrong


@dataclass(frozen=True, slots=True)
class Heard:
    """One packet as far as its neighbours matter."""

    mark: Mark
    timestamp: int
    picture: Picture | None


@dataclass(slots=True)
class ReceivingSlot:
    """One receive section with its fixed SSRCs."""

    mid: str
    kind: str
    ssrc: int
    rtx_ssrc: int | None
    track: str | None = None
    """Of the last `slots` message, as `participant` and `encoding`."""
    participant: str | None = None
    encoding: str | None = None
    packets: Counter[str] = field(default_factory=Counter)
    """By author; so are `key_frames` and `encodings` (author/rid)."""
    key_frames: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    heard: list[str] = field(default_factory=list)
    """The authors one after the other, each run once."""
    named: list[str] = field(default_factory=list)
    """The authors that `slots` messages promised, in order."""
    faults: list[str] = field(default_factory=list)
    asked_key_frame_at: float = 0.0
    reception: Reception = field(default_factory=Reception)
    _recent: dict[int, Heard] = field(default_factory=dict)

    @property
    def is_video(self) -> bool:
        return self.kind != "audio"

    @property
    def waits_for_key_frame(self) -> bool:
        """Whether a track was promised and nothing decodable of it has come yet."""
        return self.is_video and self.participant is not None and not self.key_frames[self.named[-1]]

    def assign(self, track: str | None, participant: str | None, encoding: str | None, author: str | None) -> None:
        """Take an entry of a `slots` message; `author` is whose packets it promises."""
        if author is not None and track != self.track:
            self.named.append(author)
        self.track, self.participant, self.encoding = track, participant, encoding

    def receive(self, number: int, timestamp: int, payload: bytes, *, now: float) -> None:
        """Take a packet, or what a retransmission holds."""
        extended = self.reception.arrive(number, now=now)
        if extended is None:
            return
        try:
            picture = read_vp8(payload) if self.is_video else None
            mark = read_mark(payload) if picture is None else read_mark(payload, picture.mark_at)
        except (ValueError, IndexError) as error:
            self._complain(f"packet {extended}: {error}")
            return
        self.packets[mark.author] += 1
        self.encodings[f"{mark.author}/{mark.encoding}"] += 1
        if picture is not None and picture.is_key:
            self.key_frames[mark.author] += 1
        if not self.heard or (self.heard[-1] != mark.author and extended == self.reception.highest):
            self.heard.append(mark.author)
        self._recent[extended] = Heard(mark, timestamp, picture)
        for earlier, later in itertools.pairwise((extended - 1, extended, extended + 1)):
            if earlier in self._recent and later in self._recent:
                self._compare(later, self._recent[earlier], self._recent[later])
        if len(self._recent) > REMEMBERED_PACKETS:
            del self._recent[next(iter(self._recent))]

    def misrouted(self) -> list[str]:
        """Return whom we heard without, or before, a `slots` message that named them; messages may come later."""
        named = iter(self.named)
        return [author for author in self.heard if author not in named]

    def _compare(self, extended: int, before: Heard, after: Heard) -> None:
        """Hold two packets that follow each other against what a decoder expects."""
        elapsed = (after.timestamp - before.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        if elapsed < 0:
            self._complain(f"packet {extended}: the timestamp goes back by {-elapsed}")
        if before.picture is None or after.picture is None:
            return
        earlier, later = before.picture, after.picture
        changes = (before.mark.author, before.mark.encoding) != (after.mark.author, after.mark.encoding)
        if changes and not later.is_key:
            self._complain(f"packet {extended}: {after.mark} begins without a key frame")
        step = 1 if elapsed else 0
        if later.picture_id != (earlier.picture_id + step) & 0x7FFF:
            self._complain(f"packet {extended}: picture id {later.picture_id} after {earlier.picture_id}, {step=}")
        step = 1 if elapsed and later.temporal_id == 0 else 0
        if later.tl0 != (earlier.tl0 + step) & 0xFF:
            self._complain(f"packet {extended}: TL0PICIDX {later.tl0} after {earlier.tl0}, {step=}")
        if bool(elapsed) != later.starts:
            self._complain(f"packet {extended}: a frame {'begins' if later.starts else 'goes on'} at {elapsed=}")

    def _complain(self, fault: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)
