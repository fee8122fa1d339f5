"""SECURITY.md keeps its word: every test that it names exists, and no item of the standard is left out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))
ITEMS = ["17.1.1", "17.1.2", *(f"17.2.{number}" for number in range(1, 9)), "17.3.1", "17.3.2"]
THREATS = range(1, 22)
NOT_HERE = {18, 20}
"""Threats to what does not exist here: uploads, a browser on the server."""


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def rows(section: str) -> dict[str, str]:
    """Return the rows of a section's table by their first cell."""
    body = TEXT.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return {line.split("|")[1].strip(): line for line in body.splitlines() if line.startswith("| ")}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert (ROOT / path).is_file()
    if name:
        assert name in functions_of(path)


def test_every_item_of_the_standard_has_tests() -> None:
    found = rows("OWASP ASVS 5.0, V17")
    assert len(ITEMS) == 12
    assert [item for item in ITEMS if "`tests/" not in found.get(item, "")] == []


def test_every_threat_has_tests_or_does_not_apply() -> None:
    found = rows("Threats that others met")
    assert [number for number in THREATS if str(number) not in found] == []
    assert {number for number in THREATS if "`tests/" not in found[str(number)]} == NOT_HERE


def test_every_bad_input_has_tests() -> None:
    found = rows("Bad input")
    del found["input"], found["---"]
    assert found
    assert all("`tests/" in row for row in found.values())
