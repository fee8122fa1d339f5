"""Consent of a connected peer: the native core answers what only repeats, the ICE agent hears of it when it must."""

from __future__ import annotations

from typing import Final

from media.native.worker import Worker
from media.transport.ice import RepeatedCheck
from media.transport.transport import Transport

_TRANSACTION_BYTES: Final = 12  # RFC 8489 section 5


class Consent:
    """What the native core answers for one peer. Look `take` up before the machine decides, `arrange` after it has."""

    def __init__(self, worker: Worker, transport_id: int, machine: Transport) -> None:
        self._worker = worker
        self._transport_id = transport_id
        self._machine = machine
        self._answered: RepeatedCheck | None = None  # as the native core was told

    def take(self, *, now: float) -> None:
        """Tell the machine of the checks that came meanwhile."""
        if self._answered is None:
            return
        checks = self._worker.take_checks(self._transport_id)
        if checks is not None:
            age_us, ids = checks
            transactions = [ids[at : at + _TRANSACTION_BYTES] for at in range(0, len(ids), _TRANSACTION_BYTES)]
            self._machine.hear_checks(self._answered.source, transactions, now=now - age_us / 1_000_000)

    def arrange(self) -> None:
        """Have the native core answer what the machine says, or nothing."""
        wanted = self._machine.repeated_check
        if wanted == self._answered:
            return
        self._answered = wanted
        if wanted is None:
            self._worker.leave_checks(self._transport_id)
        elif not self._worker.answer_checks(self._transport_id, wanted.username, wanted.key):
            self._answered = None
