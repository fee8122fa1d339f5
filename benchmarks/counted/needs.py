"""Says which packages are missing instead of failing somewhere deep: these commands alone need them."""

from __future__ import annotations

import importlib.util


class Missing(RuntimeError):
    """A package that only some benchmarks need is not installed: the message says how to get it."""


def need(*modules: str) -> None:
    """Raise Missing unless all can be imported."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise Missing(f"{' and '.join(missing)} not installed: `make setup`, or `pip install -e '.[test]'`")
