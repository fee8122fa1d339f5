"""Fuzz targets on their own seeds: `make fuzz` starts from a state that works."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "fuzz"
PREFIXES_MAX = 64  # of each seed, evenly spaced


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("fuzz_*.py")))
def test_seeds_and_their_prefixes_raise_nothing(name: str) -> None:
    module = importlib.import_module(f"tests.fuzz.{name}")
    assert module.SEEDS
    for seed in module.SEEDS:
        for length in range(0, len(seed), max(1, len(seed) // PREFIXES_MAX)):
            module.target(seed[:length])
        module.target(seed)
