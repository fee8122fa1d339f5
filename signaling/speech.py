"""Who speaks, and who of them leads: a pure function of audio levels over time. Names no room and no packet.

Two questions, after two ideas that conference servers have settled on:

* *Does this track speak?* A packet is active if it is loud enough, both as such and against the noise of that
  microphone. Who is active for a good part of a short window speaks, and goes on through the pauses between words.
* *Who leads?* As in the dominance test of Volfin and Cohen (2012), a challenger takes over only if it is clearly more
  prominent than who leads now, and stays so; not by being a little louder for a moment. Their three windows with
  binomial scores become one window and a duration here: every constant can be understood, and a few numbers a track
  are all the state.

The voice flag of RFC 6464 is not asked: Chromium sets it in every packet, those of silence too (156, 2026-11).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

SILENT_DBOV: Final = 127
"""Levels are -dBov, as on the wire: 0 is the loudest."""

ACTIVE_DBOV: Final = 45
"""A packet that is quieter is not speech: voices behind automatic gain control are at 20 to 35."""

NOISE_MARGIN_DB: Final = 10
"""How much louder than the noise of its own microphone a voice is."""
NOISE_RISE_DB_PER_S: Final = 2.0
"""How fast what never pauses is taken for noise: a fan within seconds, a sentence without a breath not."""
NOISE_LOUDEST_DBOV: Final = 40
"""No noise is louder: music and loud talkers do not silence themselves."""
NOISE_UNHEARD_DBOV: Final = 70
"""Taken for the noise of a microphone that was not heard lately."""

WINDOW_S: Final = 0.5
"""Time constant of all means: some syllables."""
BEGIN_SHARE: Final = 0.3
"""So much of the window must be active for speech to begin: 200 ms without a pause; a click or a cough is less."""
END_SHARE: Final = 0.05
"""Below, speech has ended, even if a click comes now and then."""
HOLD_S: Final = 1.0
"""How long a pause within speech may be; between sentences it is half a second to a second."""

LEAD_RATIO: Final = 2.0
"""A challenger must be twice as prominent: 10 dB louder, or active for twice as much of the window."""
LEAD_CHALLENGE_S: Final = 0.2
"""For so long without a break."""
LEAD_HOLD_S: Final = 1.0
"""Who leads and still speaks is not challenged earlier: pictures must not jump faster than one can look."""

FULL_DBOV: Final = 20
"""Has the loudness 1; 10 dB less are half as loud to the ear."""
STEP_MAX_S: Final = 1.0
"""If nobody asked for longer, what was heard stands for no more than this."""
FORGOTTEN_SHARE: Final = 0.001

_LOUDNESS: Final = tuple(2 ** ((FULL_DBOV - level) / 10) for level in range(SILENT_DBOV + 1))

Name = TypeVar("Name")


@dataclass(slots=True)
class Voice:
    """What is remembered of one track."""

    noise_dbov: float = NOISE_UNHEARD_DBOV
    share: float = 0.0
    """Of packets that were active, lately."""
    prominence: float = 0.0
    """Mean loudness, what is not active counting nothing."""
    speaking: bool = False
    began_at: float = 0.0
    active_at: float = -math.inf

    def hear(self, levels: bytes, *, elapsed_s: float, now: float) -> None:
        """Take the levels of the time since the last call, the voice bit in front; none is silence."""
        active, loudness = self._measure(levels, elapsed_s)
        weight = 1 - math.exp(-elapsed_s / WINDOW_S)
        self.share += (active - self.share) * weight
        self.prominence += (loudness - self.prominence) * weight
        if active:
            self.active_at = now
        if not self.speaking and self.share >= BEGIN_SHARE:
            self.speaking, self.began_at = True, now
        elif self.speaking and (self.share < END_SHARE or now - self.active_at >= HOLD_S):
            self.speaking = False

    def _measure(self, levels: bytes, elapsed_s: float) -> tuple[float, float]:
        """Return the share of packets that are active, and their loudness as a mean over all; learn the noise."""
        quietest = max((level & SILENT_DBOV for level in levels), default=NOISE_UNHEARD_DBOV)
        bound = min(ACTIVE_DBOV, self.noise_dbov - NOISE_MARGIN_DB)
        risen = max(self.noise_dbov - NOISE_RISE_DB_PER_S * elapsed_s, NOISE_LOUDEST_DBOV)
        self.noise_dbov = min(max(risen, quietest), NOISE_UNHEARD_DBOV)
        if not levels:
            return 0.0, 0.0
        active = [level & SILENT_DBOV for level in levels if level & SILENT_DBOV <= bound]
        return len(active) / len(levels), sum(_LOUDNESS[level] for level in active) / len(levels)


@dataclass(slots=True)
class Lead(Generic[Name]):
    """Who leads since when, and who challenges that."""

    name: Name
    since: float
    challenger: Name | None = None
    challenged_at: float = 0.0


@dataclass(slots=True)
class Speech(Generic[Name]):
    """All voices of one room. Ask `speaking` and `leader` after each `hear`."""

    voices: dict[Name, Voice] = field(default_factory=dict)
    """Of those that were heard lately."""
    _heard_at: float | None = None
    _lead: Lead[Name] | None = None

    @property
    def leader(self) -> Name | None:
        """Who leads among those that speak; None while nobody does."""
        return None if self._lead is None else self._lead.name

    @property
    def speaking(self) -> tuple[Name, ...]:
        """Who speaks: the leader, then the others in the order in which they began."""
        names = [name for name, voice in self.voices.items() if voice.speaking]
        names.sort(key=lambda name: (name != self.leader, self.voices[name].began_at))
        return tuple(names)

    def level(self, name: Name) -> float:
        """Return how loud a track was lately, 0 to 1."""
        voice = self.voices.get(name)
        return 0.0 if voice is None else min(1.0, voice.prominence)

    def hear(self, heard: Mapping[Name, bytes], *, now: float) -> None:
        """Take the levels of all tracks since the last call: a byte a packet (RFC 6464), oldest first.

        A track that is not there was silent. To be called some ten times a second, while anybody was heard.
        """
        elapsed_s = STEP_MAX_S if self._heard_at is None else min(max(now - self._heard_at, 0.0), STEP_MAX_S)
        if self._heard_at is None or not self.voices:
            elapsed_s = min(elapsed_s, WINDOW_S / 5)  # of new voices nobody knows for how long they have been heard
        self._heard_at = now
        for name in heard:
            if name not in self.voices:
                self.voices[name] = Voice()
        for name, voice in list(self.voices.items()):
            voice.hear(heard.get(name, b""), elapsed_s=elapsed_s, now=now)
            if not voice.speaking and name not in heard and voice.share < FORGOTTEN_SHARE:
                del self.voices[name]
        self._choose_leader(now)

    def keep(self, names: Collection[Name]) -> None:
        """Forget all others: they are muted or gone, and do not speak from now on."""
        for name in [name for name in self.voices if name not in names]:
            del self.voices[name]
        if self._lead is not None and self._lead.name not in self.voices:
            self._choose_leader(self._heard_at or 0.0)

    def _choose_leader(self, now: float) -> None:
        speaking = {name: voice.prominence for name, voice in self.voices.items() if voice.speaking}
        best = max(speaking, key=lambda name: speaking[name], default=None)
        lead = self._lead
        if best is None:
            self._lead = None
        elif lead is None or lead.name not in speaking:
            self._lead = Lead(best, now)
        elif best == lead.name or speaking[best] < LEAD_RATIO * speaking[lead.name]:
            lead.challenger = None
        elif lead.challenger != best:
            lead.challenger, lead.challenged_at = best, now
        elif now - lead.challenged_at >= LEAD_CHALLENGE_S and now - lead.since >= LEAD_HOLD_S:
            self._lead = Lead(best, now)
