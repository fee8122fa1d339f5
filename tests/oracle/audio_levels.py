"""Twin of the level meter: a list of levels for each producer, cut when it is asked for."""

from __future__ import annotations

LEVELS = 16
SILENT = 127


class LevelMeter:
    def __init__(self) -> None:
        self._heard: dict[int, list[int]] = {}

    def add(self, producer: int, level: int, voice: bool = False) -> None:
        if not 0 <= level <= SILENT:
            raise ValueError(f"level is {level}, expected 0 to {SILENT}")
        self._heard.setdefault(producer, []).append(level | voice << 7)

    def forget(self, producer: int) -> None:
        self._heard.pop(producer, None)

    def take(self, quietest: int = SILENT) -> list[tuple[int, bytes]]:
        heard, self._heard = self._heard, {}
        readings = [(producer, bytes(levels[-LEVELS:])) for producer, levels in reversed(heard.items())]
        return [reading for reading in readings if min(level & SILENT for level in reading[1]) <= quietest]
