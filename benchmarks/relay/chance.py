"""Random numbers by position: packet 17's are the same whatever was asked for packets 1 to 16."""

from __future__ import annotations

import enum
import hashlib
from typing import Final

_MASK: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15  # SplitMix64's increment: 2^64 divided by the golden ratio, odd
_TO_UNIT: Final = 1.0 / (1 << 53)  # the top 53 bits are what a float can hold


class Purpose(enum.IntEnum):
    """What a number decides. Each has its own sequence, so that adding jitter does not move the losses."""

    LOSS = 0
    BURST = 1
    JITTER = 2
    REORDER = 3
    DUPLICATE = 4
    CORRUPT = 5
    BIT = 6


PURPOSES: Final = len(Purpose)


def derive_key(seed: int, name: str) -> int:
    """Return a 64-bit key for `Chance`, different for each name under one seed."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest())


class Chance:
    """Numbers that depend on a key, a packet's number and a purpose alone (SplitMix64 as a counter-based generator)."""

    __slots__ = ("_key",)

    def __init__(self, key: int) -> None:
        self._key = key

    def uniform(self, number: int, purpose: Purpose) -> float:
        """Return a number from 0 up to, not including, 1."""
        mixed = (self._key + (number * PURPOSES + purpose + 1) * _STEP) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) * _TO_UNIT
