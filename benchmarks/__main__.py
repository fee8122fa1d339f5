"""`python -m benchmarks NAME ...`: runs the benchmark of that name, or lists them with the question each answers."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Final

import benchmarks

USAGE_EXIT: Final = 2


def main(arguments: list[str]) -> int:
    """Run `benchmarks.NAME.main(rest)`, which returns an exit code. A module without `main` is no benchmark."""
    names = benchmark_names()
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("usage: python -m benchmarks NAME [--help] ...\n")
        for name in names:
            print(f"  {name:12} {question(name)}")
        return 0 if arguments else USAGE_EXIT
    name, *rest = arguments
    if name not in names:
        print(f"no benchmark {name!r}; there are: {', '.join(names) or 'none'}", file=sys.stderr)
        return USAGE_EXIT
    module = importlib.import_module(f"benchmarks.{name}")
    code = module.main(rest)
    assert isinstance(code, int), f"benchmarks.{name}.main returned {code!r}, expected an exit code"
    return code


def benchmark_names() -> list[str]:
    """Return the modules beside this one that have a `main`, told from their text: importing some takes long."""
    return [
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if not module.name.startswith("_") and "\ndef main(" in source(module.name)
    ]


def question(name: str) -> str:
    """Return the first line of a benchmark's docstring."""
    return source(name).split('"""')[1].split("\n")[0]


def source(name: str) -> str:
    folder = Path(benchmarks.__path__[0])
    path = folder / f"{name}.py"
    return (path if path.exists() else folder / name / "__init__.py").read_text(encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
