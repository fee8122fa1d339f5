"""What the publisher of one track is asked to send: which encodings, or sizes of the only one, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from media.rtp.parameters import Rid
from signaling.bitrates import share
from signaling.server_messages import EncodingWanted

_STEP: Final = 2.0
"""Between two sizes of a stream of which nothing better is known (WebRTC-SVC section 6, but for the modes with h)."""

_GRAIN: Final = 2
"""Sizes lie 1.5 or 2 to 1: what is told is rounded to halves, since encoders round heights to whole pixels."""


class Sending:
    """Told to the publisher in `layers`. An encoding that is not wanted counts as one that may send nothing."""

    def __init__(self, rids: Sequence[Rid | None]) -> None:
        """`rids`: of the encodings, lowest first. They may send nothing before `limit`."""
        self.rids = tuple(rids)
        self._active = [True] * len(self.rids)
        self._heights: tuple[int, ...] = ()
        self._limits_bps = (0,) * len(self.rids)

    @property
    def limits_bps(self) -> tuple[int, ...]:
        """What each encoding may send in bit/s, lowest first, wanted or not."""
        return self._limits_bps

    @property
    def asked(self) -> tuple[bool, ...]:
        """Of each encoding, or size of the only one, whether the publisher is asked to send it, lowest first."""
        return tuple(self._active)

    def divide(self, heights: Sequence[int]) -> bool:
        """The only encoding has these sizes (SVC; pixels, smallest first, 0: not known).

        Returns whether that changes what the publisher is to be told. Nothing happens to a simulcast.
        """
        if len(self.rids) > 1 or not heights:
            return False
        before, count = self.view(), len(self._active)
        self._heights = tuple(heights)
        self._active = [*self._active, *self._active[-1:] * (len(heights) - count)][: len(heights)]
        return self.view() != before

    def want(self, index: int, active: bool) -> bool:
        """Say whether an encoding, or a size, is wanted; return whether the publisher is to be told."""
        before = self.view()
        self._active[index] = active
        return self.view() != before

    def limit(self, limit_bps: int) -> bool:
        """Set what all encodings together may send; return whether that changes anything."""
        limits_bps = share(limit_bps, len(self.rids)) if self.rids else ()
        changed = limits_bps != self._limits_bps
        self._limits_bps = limits_bps
        return changed

    def view(self) -> tuple[EncodingWanted, ...]:
        """Return what the publisher is told."""
        if len(self.rids) == 1:
            (rid,), (limit_bps,) = self.rids, self._limits_bps
            return (
                EncodingWanted(
                    rid=rid,
                    active=any(self._active),
                    max_bitrate_bps=limit_bps,
                    scale_resolution_down_by=self._scale(),
                ),
            )
        return tuple(
            EncodingWanted(rid=rid, active=active, max_bitrate_bps=limit_bps)
            for rid, active, limit_bps in zip(self.rids, self._active, self._limits_bps, strict=True)
        )

    def _scale(self) -> float:
        """Return by how much the largest size is larger than the largest that is wanted."""
        wanted = max((index for index, active in enumerate(self._active) if active), default=len(self._active) - 1)
        above = len(self._active) - 1 - wanted
        if not above:
            return 1.0
        height, largest = self._heights[wanted], self._heights[-1]
        if not height or not largest:
            return _STEP**above
        return max(round(largest / height * _GRAIN) / _GRAIN, 1.0)
