"""What the publisher of one track is asked to send: which encodings, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence

from media.rtp.parameters import Rid
from signaling.bitrates import share
from signaling.server_messages import EncodingWanted


class Sending:
    """Told to the publisher in `layers`. An encoding that is not wanted counts as one that may send nothing."""

    def __init__(self, rids: Sequence[Rid | None]) -> None:
        """`rids`: of the encodings, lowest first. They may send nothing before `limit`."""
        self.rids = tuple(rids)
        self._active = [True] * len(self.rids)
        self._limits_bps = (0,) * len(self.rids)

    @property
    def limits_bps(self) -> tuple[int, ...]:
        """What each encoding may send in bit/s, lowest first, wanted or not."""
        return self._limits_bps

    @property
    def asked(self) -> tuple[bool, ...]:
        """Of each encoding whether the publisher is asked to send it, lowest first."""
        return tuple(self._active)

    def want(self, index: int, active: bool) -> bool:
        """Say whether an encoding is wanted; return whether that changes anything."""
        changed = self._active[index] != active
        self._active[index] = active
        return changed

    def limit(self, limit_bps: int) -> bool:
        """Set what all encodings together may send; return whether that changes anything."""
        limits_bps = share(limit_bps, len(self.rids)) if self.rids else ()
        changed = limits_bps != self._limits_bps
        self._limits_bps = limits_bps
        return changed

    def view(self) -> tuple[EncodingWanted, ...]:
        """Return what the publisher is told."""
        return tuple(
            EncodingWanted(rid=rid, active=active, max_bitrate_bps=limit_bps)
            for rid, active, limit_bps in zip(self.rids, self._active, self._limits_bps, strict=True)
        )
