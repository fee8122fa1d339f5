"""The text of a schedule: `loss=5% delay=40ms; 20s loss=10%; 40s rate=300kbit; 60s clear`.

Steps are divided by `;`. A step begins with its time (left out: 0) and says what changes then; the rest stays.

    loss=5%                  each packet by itself
    burst=5                  behind loss=: losses come in runs of 5 packets on average
    gemodel=1%/20%/100%/0%   Gilbert-Elliott: enter the bad state / leave it / loss in bad / loss in good
    delay=40ms               each way
    jitter=30ms              up to this on top, order kept
    unordered                jitter may change the order
    reorder=2%/40ms          that share is held back for that time while later ones pass
    rate=300kbit             of IP packets, headers included
    queue=300ms              what would wait longer at that rate is dropped
    duplicate=1%             comes twice
    corrupt=1%               one bit is flipped
    mtu=1200                 larger datagrams are dropped
    blackout=5s              nothing passes; without a time: until `light`
    rebind                   the NAT gives the clients new source ports towards the server (up only)
    only=media               chance hits RTP and RTCP alone (all, media, rtp)
    clear                    back to a perfect link
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.relay.profile import DELAY_S_MAX, HOLD_S, Burst, Profile, Target

STEPS_MAX: Final = 1000
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h)")
_TIME_S: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)([kMG]?)bit")
_RATE_BPS: Final = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_BURST_MIN: Final = 1.0


class BadSchedule(ValueError):
    """The text of a schedule is not one: the message names the word and what was expected."""


@dataclass(frozen=True, slots=True)
class Step:
    """From `at_s` on, until the next step."""

    at_s: float
    profile: Profile


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps by ascending time, the first at 0; times count from the first packet, or from the change to this one."""

    steps: tuple[Step, ...] = (Step(0.0, Profile()),)
    rebinds_s: tuple[float, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Word:
    at_s: float
    name: str
    value: str


def parse_schedule(text: str) -> Schedule:
    """Return the schedule that a text like `20s loss=10%; 40s rate=300kbit` means. BadSchedule if it means none."""
    words = sorted(_words(text), key=lambda word: word.at_s)
    rebinds: list[float] = []
    steps = {0.0: Profile()}
    for word in words:
        before = steps[max(steps)]
        if word.name == "rebind":
            if word.value:
                raise BadSchedule(f"`rebind={word.value}`: rebind takes no value, its step says when")
            rebinds.append(word.at_s)
        else:
            steps[word.at_s] = _apply(before, word)
    return Schedule(tuple(Step(at_s, profile) for at_s, profile in steps.items()), tuple(rebinds), text.strip())


def parse_time(text: str) -> float:
    """Return seconds from `20s`, `150ms`, `2min`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadSchedule(f"{text!r} is no time: expected a number with ms, s, min or h, like 150ms")
    return float(match[1]) * _TIME_S[match[2]]


def parse_share(text: str) -> float:
    """Return 0..1 from `5%`."""
    try:
        share = float(text.removesuffix("%")) / 100 if text.endswith("%") else None
    except ValueError:
        share = None
    if share is None or not 0 <= share <= 1:
        raise BadSchedule(f"{text!r} is no share: expected 0% to 100%")
    return share


def parse_rate(text: str) -> float:
    """Return bits per second from `300kbit`, `1.5Mbit`."""
    match = _RATE.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise BadSchedule(f"{text!r} is no rate: expected a positive number with bit, kbit, Mbit or Gbit, like 300kbit")
    return float(match[1]) * _RATE_BPS[match[2]]


def _words(text: str) -> Iterator[_Word]:
    steps = [step.split() for step in text.split(";")]
    if len(steps) > STEPS_MAX:
        raise BadSchedule(f"the schedule has {len(steps)} steps, at most {STEPS_MAX} are taken")
    for step in steps:
        at_s = 0.0
        if step and step[0][0].isdigit():
            at_s = parse_time(step.pop(0))
        for part in step:
            name, _, value = part.partition("=")
            yield _Word(at_s, name, value)
            if name == "blackout" and value:
                yield _Word(at_s + parse_time(value), "light", "")


def _apply(profile: Profile, word: _Word) -> Profile:
    if word.name in _SWITCHES:
        if word.value and word.name != "blackout":
            raise BadSchedule(f"`{word.name}={word.value}`: {word.name} takes no value")
        return _SWITCHES[word.name](profile)
    change = _VALUES.get(word.name)
    if change is None:
        known = ", ".join(sorted([*_VALUES, *_SWITCHES, "rebind"]))
        raise BadSchedule(f"{word.name!r} is not known: expected one of {known}")
    if not word.value:
        raise BadSchedule(f"`{word.name}` lacks its value")
    return change(profile, word.value)


def _held(text: str) -> float:
    held_s = parse_time(text)
    if held_s > DELAY_S_MAX:
        raise BadSchedule(f"{text} is too long: at most {DELAY_S_MAX:g} s are held back")
    return held_s


def _burst(profile: Profile, value: str) -> Profile:
    try:
        length = float(value)
    except ValueError:
        length = 0.0
    if not length >= _BURST_MIN:
        raise BadSchedule(f"{value!r} is no length of bursts: expected packets, 1 or more")
    if not 0 < profile.loss < 1:
        raise BadSchedule(f"`burst={value}` needs a `loss=` above 0% and below 100% before it")
    return replace(profile, loss=0.0, burst=Burst.of_mean(profile.loss, length))


def _model(profile: Profile, value: str) -> Profile:
    shares = [parse_share(part) for part in value.split("/")]
    if not 2 <= len(shares) <= 4:
        raise BadSchedule(f"{value!r} has {len(shares)} parts: expected enter/leave, or enter/leave/bad/good")
    return replace(profile, burst=Burst(*shares))


def _reorder(profile: Profile, value: str) -> Profile:
    share, _, hold = value.partition("/")
    return replace(profile, reorder=parse_share(share), hold_s=_held(hold) if hold else HOLD_S)


def _mtu(profile: Profile, value: str) -> Profile:
    if not value.isdecimal() or int(value) == 0:
        raise BadSchedule(f"{value!r} is no MTU: expected bytes of UDP payload")
    return replace(profile, mtu_bytes=int(value))


def _only(profile: Profile, value: str) -> Profile:
    try:
        return replace(profile, only=Target(value))
    except ValueError:
        raise BadSchedule(f"only={value!r}: expected one of {', '.join(one.value for one in Target)}") from None


_VALUES: Final[dict[str, Callable[[Profile, str], Profile]]] = {
    "loss": lambda profile, value: replace(profile, loss=parse_share(value), burst=None),
    "burst": _burst,
    "gemodel": _model,
    "delay": lambda profile, value: replace(profile, delay_s=_held(value)),
    "jitter": lambda profile, value: replace(profile, jitter_s=_held(value)),
    "reorder": _reorder,
    "rate": lambda profile, value: replace(profile, rate_bps=parse_rate(value)),
    "queue": lambda profile, value: replace(profile, queue_s=_held(value)),
    "duplicate": lambda profile, value: replace(profile, duplicate=parse_share(value)),
    "corrupt": lambda profile, value: replace(profile, corrupt=parse_share(value)),
    "mtu": _mtu,
    "only": _only,
}
_SWITCHES: Final[dict[str, Callable[[Profile], Profile]]] = {
    "unordered": lambda profile: replace(profile, unordered=True),
    "blackout": lambda profile: replace(profile, blackout=True),
    "light": lambda profile: replace(profile, blackout=False),
    "clear": lambda _: Profile(),
}
