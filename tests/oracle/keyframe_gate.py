"""Twin of the key frame gate: the whole past is kept, and asked each time."""

from __future__ import annotations

SECOND = 1_000_000


class RequestGate:
    def __init__(self) -> None:
        self.asked_at: list[int] = []
        self.key_frames_at: list[int] = []
        self.intervals = [1]  # seconds, the last one is in force
        self.open = False
        self.waiting = False
        self.merged = 0

    def _rested(self, now_us: int) -> bool:
        """Tell whether the interval since the last request is over."""
        quiet = bool(self.key_frames_at) and now_us - self.key_frames_at[-1] >= 10 * SECOND
        interval = 1 if quiet else self.intervals[-1]
        return not self.asked_at or max(now_us - self.asked_at[-1], 0) >= interval * SECOND

    def _ask(self, now_us: int) -> bool:
        self.asked_at.append(now_us)
        self.open, self.waiting = True, False
        return True

    def request(self, now_us: int) -> bool:
        if not self.open and self._rested(now_us):
            return self._ask(now_us)
        self.waiting = not self.open
        self.merged += 1
        return False

    def poll(self, now_us: int) -> bool:
        unanswered = self.open and now_us - self.asked_at[-1] >= SECOND
        remembered = self.waiting and self._rested(now_us)
        return self._ask(now_us) if unanswered or remembered else False

    def key_frame(self, now_us: int) -> None:
        if self.key_frames_at:
            since = max(now_us - self.key_frames_at[-1], 0)
            if since < SECOND // 10:
                return
            if since < 2 * SECOND:
                self.intervals.append(min(self.intervals[-1] * 2, 4))
            elif since >= 10 * SECOND:
                self.intervals.append(1)
        self.key_frames_at.append(now_us)
        self.open = self.waiting = False

    def counters(self) -> tuple[int, int, int]:
        return len(self.asked_at), self.merged, len(self.key_frames_at)
