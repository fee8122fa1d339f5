"""Fuzz every target of tests/fuzz/fuzz_*.py with mutations of its seeds; `make fuzz` runs it under AddressSanitizer.

A target is a module with `target(data)`, which must return whatever the bytes, and `SEEDS`. With `NATIVE`, a loop of
mutator.pyx besides calls the same parsers a hundred times as fast. The targets take turns of a fixed time, until there
were --inputs in total or --seconds have passed. Exit code 1, and the input in --finds, if anything was raised.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.mutator import Mutator

HERE = Path(__file__).parent
TURN_SECONDS = 0.25
NATIVE_TURN_SECONDS = 1.0  # these find what matters most
FIRST_TURN_INPUTS = 200  # later turns are as long as the time allows at the speed of the one before


@dataclass(slots=True)
class Run:
    """What one target did so far. `turn` takes (mutator, inputs) and returns how many were accepted, and a find."""

    name: str
    seeds: Sequence[bytes]
    turn: Callable[[Mutator, int], tuple[int, bytes | None]]
    turn_seconds: float
    inputs: int = 0
    accepted: int = 0
    seconds: float = 0.0
    finds: list[bytes] = field(default_factory=list)

    def take_turn(self, state: int, most: int) -> None:
        """Run for about a turn's time, at most `most` inputs, all made from `state`."""
        speed = self.inputs / self.seconds if self.seconds else 0.0
        inputs = min(most, int(speed * self.turn_seconds) or FIRST_TURN_INPUTS)
        started = time.perf_counter()
        accepted, find = self.turn(Mutator(self.seeds, state), inputs)
        self.seconds += time.perf_counter() - started
        self.inputs += inputs
        self.accepted += accepted
        if find is not None:
            self.finds.append(find)


def load_runs(only: str | None) -> list[Run]:
    """Return a run for each target of this folder, and one more for each native loop."""
    runs = []
    for path in sorted(HERE.glob("fuzz_*.py")):
        module = importlib.import_module(f"tests.fuzz.{path.stem}")
        name = path.stem.removeprefix("fuzz_")
        if only is not None and name != only:
            continue
        native = getattr(module, "NATIVE", None)
        if native is not None:
            runs.append(Run(f"{name} (native)", module.SEEDS, native_turn(native), NATIVE_TURN_SECONDS))
        runs.append(Run(name, module.SEEDS, python_turn(module.target), TURN_SECONDS))
    return runs


def native_turn(name: str) -> Callable[[Mutator, int], tuple[int, bytes | None]]:
    def turn(mutator: Mutator, inputs: int) -> tuple[int, bytes | None]:
        return mutator.run(name, inputs)

    return turn


def python_turn(target: Callable[[bytes], None]) -> Callable[[Mutator, int], tuple[int, bytes | None]]:
    def turn(mutator: Mutator, inputs: int) -> tuple[int, bytes | None]:
        for _ in range(inputs):
            data = mutator.mutate()
            try:
                target(data)
            except Exception:  # any at all is a find
                traceback.print_exc()
                return 0, data
        return 0, None

    return turn


def keep(find: bytes, name: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.partition(' ')[0]}-{hashlib.sha256(find).hexdigest()[:12]}"
    path.write_bytes(find)
    return path


def print_table(runs: Sequence[Run]) -> None:
    print(f"{'target':<24}{'inputs':>12}{'accepted':>12}{'finds':>8}{'inputs/s':>12}")
    for run in runs:
        accepted = f"{run.accepted:,}" if "native" in run.name else ""
        speed = run.inputs / run.seconds if run.seconds else 0.0
        print(f"{run.name:<24}{run.inputs:>12,}{accepted:>12}{len(run.finds):>8}{speed:>12,.0f}")
    print(f"{'all':<24}{sum(run.inputs for run in runs):>12,}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fuzz the native parsers.")
    parser.add_argument("--inputs", type=int, default=12_000_000, help="how many in total")
    parser.add_argument("--seconds", type=float, default=600.0, help="stop after this time")
    parser.add_argument("--seed", type=int, default=1, help="other numbers, other inputs")
    parser.add_argument("--only", metavar="TARGET", help="one target")
    parser.add_argument("--finds", type=Path, default=Path(".work/fuzz"), help="where inputs that raise are kept")
    options = parser.parse_args(arguments)

    runs = load_runs(options.only)
    if not runs:
        parser.error(f"there is no target {options.only}")
    started = told = time.perf_counter()
    state = options.seed << 32
    left = options.inputs
    while left > 0 and time.perf_counter() - started < options.seconds:
        for run in runs:
            state += 1
            before = run.inputs
            run.take_turn(state, left)
            left -= run.inputs - before
            if left <= 0:
                break
        if time.perf_counter() - told > 10:
            told = time.perf_counter()
            print(f"fuzz: {options.inputs - left:,} inputs in {told - started:.0f} s", flush=True)
        if any(run.finds for run in runs):
            break

    print_table(runs)
    for run in runs:
        for find in run.finds:
            print(f"fuzz: {run.name} failed on {keep(find, run.name, options.finds)}")
    return 1 if any(run.finds for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
