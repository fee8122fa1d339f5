"""Suites by name: each module beside this one has a `SUITE`."""

from __future__ import annotations

import importlib
import pkgutil

from benchmarks.api.scenario import Suite


def suite_names() -> list[str]:
    """Return the modules beside this one."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def load_suite(name: str) -> Suite:
    """Return the suite of a module beside this one."""
    suite = importlib.import_module(f"{__name__}.{name}").SUITE
    assert isinstance(suite, Suite), f"{__name__}.{name}.SUITE is {suite!r}"
    return suite
