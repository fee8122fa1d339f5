"""The addresses from which valid checks came: a small table, the longest silent one leaves first."""

from __future__ import annotations

from media.rtp.parameters import Address


class AddressTable:
    """Validated addresses and when each was last heard, at most `limit` of them, oldest first."""

    __slots__ = ("_heard_at", "_lifetime_s", "_limit")

    def __init__(self, *, limit: int, lifetime_s: float) -> None:
        assert limit >= 2  # the selected one and a newcomer
        self._limit = limit
        self._lifetime_s = lifetime_s
        self._heard_at: dict[Address, float] = {}

    def hear(self, address: Address, *, now: float) -> bool:
        """Note a valid check; True if the address is new."""
        is_new = self._heard_at.pop(address, None) is None
        self._heard_at[address] = now
        return is_new

    def heard_at(self, address: Address) -> float | None:
        """Return when the address was last heard (monotonic seconds), None if it is not in the table."""
        return self._heard_at.get(address)

    def knows(self, address: Address, *, now: float) -> bool:
        """Whether the address was heard within the lifetime."""
        heard_at = self._heard_at.get(address)
        return heard_at is not None and now - heard_at < self._lifetime_s

    def forget_stale(self, keep: Address | None, *, now: float) -> list[Address]:
        """Remove and return what is silent for too long or one too many; `keep` always stays."""
        forgotten = []
        surplus = len(self._heard_at) - self._limit
        for address, heard_at in list(self._heard_at.items()):
            if surplus <= 0 and now - heard_at < self._lifetime_s:
                break
            if address != keep:
                del self._heard_at[address]
                forgotten.append(address)
                surplus -= 1
        return forgotten

    def next_stale(self, keep: Address | None) -> float | None:
        """Return when the next address becomes stale, None if only `keep` is left."""
        for address, heard_at in self._heard_at.items():
            if address != keep:
                return heard_at + self._lifetime_s
        return None

    def __len__(self) -> int:
        return len(self._heard_at)
