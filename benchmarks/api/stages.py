"""How many users there are at which moment: stages, each a straight line from the users before to its own number."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SECONDS_MAX: Final = 86_400.0
USERS_MAX: Final = 20_000
"""Sockets of one process; one interpreter does not serve that many at any speed that would be of interest."""

_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_STAGE: Final = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|):(\d+)")


@dataclass(frozen=True, slots=True)
class Stage:
    """So many seconds, at the end of which there are so many users."""

    seconds: float
    users: int


USUAL: Final = (
    Stage(120, 100),
    Stage(300, 100),
    Stage(120, 200),
    Stage(300, 200),
    Stage(120, 300),
    Stage(300, 300),
    Stage(120, 400),
    Stage(300, 400),
    Stage(600, 0),
)
"""A school that fills within half an hour, as the requirements of the product name it."""


def parse_stages(text: str) -> tuple[Stage, ...]:
    """Return stages of a text like `2m:100,5m:100,10m:0`. ValueError says what is wrong."""
    stages: list[Stage] = []
    for part in text.split(","):
        match = _STAGE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"stage {part!r}: expected TIME:USERS, like 2m:100 or 30s:0")
        seconds, users = float(match[1]) * _UNITS[match[2]], int(match[3])
        if not 0 < seconds <= SECONDS_MAX:
            raise ValueError(f"stage {part!r} takes {seconds:g} s, expected more than 0 and at most {SECONDS_MAX:g}")
        if users > USERS_MAX:
            raise ValueError(f"stage {part!r} has {users} users, expected at most {USERS_MAX}")
        stages.append(Stage(seconds, users))
    if not any(stage.users for stage in stages):
        raise ValueError(f"stages {text!r} never have a user")
    return tuple(stages)


def scaled(stages: Sequence[Stage], scale: float) -> tuple[Stage, ...]:
    """Return the same stages in `scale` times their time."""
    return tuple(Stage(stage.seconds * scale, stage.users) for stage in stages)


def total_s(stages: Sequence[Stage]) -> float:
    """Return how long all stages take together, in seconds."""
    return sum(stage.seconds for stage in stages)


def users_at(stages: Sequence[Stage], at_s: float) -> int:
    """Return how many users there are, `at_s` seconds after the beginning; none after the end."""
    before, users_before = 0.0, 0
    for stage in stages:
        if at_s < before + stage.seconds:
            part = max(0.0, at_s - before) / stage.seconds
            return math.ceil(users_before + (stage.users - users_before) * part - 1e-9)
        before, users_before = before + stage.seconds, stage.users
    return 0


def format_stages(stages: Sequence[Stage]) -> str:
    """Return the text that `parse_stages` reads."""
    return ",".join(f"{_time(stage.seconds)}:{stage.users}" for stage in stages)


def plateaus(stages: Sequence[Stage]) -> list[tuple[float, float, int]]:
    """Return where the number of users stays: begin, end, users."""
    ends = list(itertools.accumulate(stage.seconds for stage in stages))
    befores = [Stage(0, 0), *stages]
    return [
        (end - stage.seconds, end, stage.users)
        for before, stage, end in zip(befores, stages, ends, strict=False)
        if stage.users == before.users
    ]


def _time(seconds: float) -> str:
    return f"{seconds / 60:g}m" if seconds % 60 == 0 else f"{seconds:g}s"
