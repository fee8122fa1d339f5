"""What must hold: `reads.p95<=50ms`, `all.errors<=0.1%`, judged over the figures of steps and of groups of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.api.figures import ALL, StepFigures

_RULE: Final = re.compile(
    r"([\w.-]+)\.(p\d+(?:\.\d+)?|max|mean|errors|rate)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(ms|s|%|/s)"
)
_UNITS: Final = {"errors": {"%": 0.01}, "rate": {"/s": 1.0}}
_TIME_UNITS: Final = {"ms": 1.0, "s": 1000.0}
EXPECTED: Final = (
    "expected STEP.p95<=50ms, STEP.errors<=0.1% or STEP.rate>=100/s, where STEP is a step, a group, or all"
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One rule. Limits of times are milliseconds, of errors a fraction, of rates things a second."""

    text: str
    step: str
    """A step, the group before its dot, or `all`."""
    figure: str
    operator: str
    limit: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a rule; `found` is in the unit of its limit, None where nothing was measured."""

    threshold: Threshold
    found: float | None
    held: bool

    @property
    def sentence(self) -> str:
        """Return the rule and what was found, for people."""
        if self.found is None:
            return f"{self.threshold.text}: nothing was measured"
        shown = {"errors": f"{self.found:.3%}", "rate": f"{self.found:.1f}/s"}
        return f"{self.threshold.text}: {shown.get(self.threshold.figure, f'{self.found:.1f} ms')}"


def parse_threshold(text: str) -> Threshold:
    """Return the rule of a text. ValueError says what is wrong."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"threshold {text!r}: {EXPECTED}")
    step, figure, operator, number, unit = match.groups()
    units = _UNITS.get(figure, _TIME_UNITS)
    if unit not in units:
        raise ValueError(f"threshold {text!r}: {figure} is in {' or '.join(units)}, not in {unit}")
    if figure.startswith("p") and not 0 < float(figure[1:]) <= 100:
        raise ValueError(f"threshold {text!r}: {figure} is no percentile, expected p50, p95, p99.9 ...")
    return Threshold(text.strip(), step, figure, operator, float(number) * units[unit])


def unknown_steps(thresholds: Sequence[Threshold], steps: Sequence[str]) -> list[str]:
    """Return the rules of which no step of the scenarios can ever be the subject."""
    known = {ALL, *steps, *(step.partition(".")[0] for step in steps)}
    return [threshold.text for threshold in thresholds if threshold.step not in known]


def judge(thresholds: Sequence[Threshold], figures: Mapping[str, StepFigures]) -> list[Verdict]:
    """Return what became of each rule. One of a step that never ran does not hold: it says nothing good."""
    return [_judge(threshold, figures.get(threshold.step)) for threshold in thresholds]


def _judge(threshold: Threshold, figures: StepFigures | None) -> Verdict:
    if figures is None or figures.count == 0:
        return Verdict(threshold, None, held=False)
    found = _find(threshold.figure, figures)
    if found is None:
        return Verdict(threshold, None, held=False)
    compare = {
        "<": found < threshold.limit,
        "<=": found <= threshold.limit,
        ">": found > threshold.limit,
        ">=": found >= threshold.limit,
    }
    return Verdict(threshold, found, compare[threshold.operator])


def _find(figure: str, figures: StepFigures) -> float | None:
    if figure == "errors":
        return figures.error_rate
    if figure == "rate":
        return figures.per_s
    if not figures.response.count:
        return None
    if figure == "max":
        return figures.response.max_s * 1000
    if figure == "mean":
        return figures.response.mean_s * 1000
    return figures.response.quantile_ms(float(figure[1:]) / 100)
