"""Follows each participant from its transport's first moment to its leave, and writes one line in the log then.

The line holds what an operator asks when somebody says that it did not work: how far the join got and when, how long
they stayed and why they left, what went each way and what was lost. It names room and participant by their ids, and no
person: who a participant was says the journal of events, to those who may read it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from control_api.joins.funnel import JoinFunnel, Stage
from control_api.joins.observers import QuietObserver
from media.routing.ports import TransportListener
from media.routing.progress import Step
from media.routing.totals import TransportTotals
from media.routing.transport import Transport
from signaling.facts import LeftFact, ParticipantFact

logger = logging.getLogger(__name__)

STAGES: Final = {Step.ICE: Stage.ICE, Step.DTLS: Stage.DTLS, Step.MEDIA: Stage.MEDIA}
_MILLISECONDS: Final = 1000.0


@runtime_checkable
class _OfParticipant(Protocol):
    """A listener that says whose transport it listens to."""

    @property
    def participant(self) -> str: ...


@dataclass(slots=True)
class _Stay:
    """One participant's, by what is known of it so far."""

    began: float
    """Monotonic seconds."""
    transport: Transport | None = None
    reached: dict[Stage, float] = field(default_factory=dict)
    """Seconds after the beginning."""
    joined: bool = False


class Stays(QuietObserver):
    """Hears of transports from the engine (`on_transport`) and of participants from the rooms (as an observer)."""

    def __init__(self, funnel: JoinFunnel) -> None:
        self._funnel = funnel
        self._stays: dict[str, _Stay] = {}

    def __len__(self) -> int:
        return len(self._stays)

    def on_transport(self, transport: Transport, listener: TransportListener) -> None:
        """A transport was made: somebody's join is being answered."""
        name = listener.participant if isinstance(listener, _OfParticipant) else None
        stay = _Stay(transport.progress.started, transport)
        if name is not None:
            stay = self._stays[name] = self._stays.get(name, stay)
            stay.transport = transport

        def on_step(step: Step, after_s: float) -> None:
            self._reach(stay, STAGES[step], after_s)

        def on_end(reason: str) -> None:
            self._funnel.transport_ended(reason, connected=Step.DTLS in transport.progress.reached)
            if name is not None and not stay.joined:
                self._stays.pop(name, None)  # the join failed after all

        transport.progress.on_step = on_step
        transport.progress.on_end = on_end

    def participant_joined(self, fact: ParticipantFact) -> None:
        now = time.monotonic()
        stay = self._stays.setdefault(fact.participant, _Stay(now))
        stay.joined = True
        self._reach(stay, Stage.ANSWERED, now - stay.began)

    def participant_left(self, fact: LeftFact) -> None:
        self._funnel.left(fact.reason.value)
        stay = self._stays.pop(fact.who.participant, None)
        if stay is not None:
            _log(fact, stay, now=time.monotonic())

    def _reach(self, stay: _Stay, stage: Stage, after_s: float) -> None:
        if stage not in stay.reached:
            stay.reached[stage] = after_s
            self._funnel.reached(stage, after_s)


def _log(fact: LeftFact, stay: _Stay, *, now: float) -> None:
    totals = TransportTotals() if stay.transport is None else stay.transport.totals
    received = totals.received_packets + totals.lost_packets
    fields: dict[str, object] = {
        "room": fact.who.room,
        "participant": fact.who.participant,
        "role": fact.who.role.value,
        "reason": fact.reason.value,
        "duration_s": round(now - stay.began, 3),
        **{f"{stage.value}_s": round(after_s, 3) for stage, after_s in stay.reached.items()},
        "codecs": list(totals.codecs),
        "received_packets": totals.received_packets,
        "received_bytes": totals.received_bytes,
        "loss_in": round(max(0, totals.lost_packets) / received, 4) if received > 0 else 0.0,
        "nacks_sent": totals.nacks_sent,
        "recovered_packets": totals.recovered_packets,
        "sent_packets": totals.sent_packets,
        "sent_bytes": totals.sent_bytes,
        "loss_out": round(totals.loss_out, 4),
        "nacks_received": totals.nacks_received,
        "resent_packets": totals.resent_packets,
        "missed_packets": totals.missed_packets,
        "round_trip_ms": round(totals.round_trip_s * _MILLISECONDS, 1),
    }
    logger.info("participant left", extra=fields)
