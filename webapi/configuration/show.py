"""The settings that are in force, as a TOML file that would make them again; secrets are left out."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from webapi.configuration.load import Loaded
from webapi.configuration.settings_tree import SettingsTree, value_at

HIDDEN: Final = "(not shown)"
_HEAD: Final = "# The settings in force. A line without a note has its default; secrets are not shown."


def show_settings(tree: SettingsTree[Any], loaded: Loaded[Any]) -> str:
    """Return the text of a settings file."""
    return "\n".join(_lines(tree, loaded)) + "\n"


def show_value(value: object, *, secret: bool = False) -> str:
    """Return a value as TOML writes it; None, which TOML has not, as the text "none"."""
    match value:
        case None:
            return '"none"'
        case tuple():
            return "[" + ", ".join(show_value(item, secret=secret) for item in value) + "]"
        case _ if secret:
            return _quote(HIDDEN)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case enum.Enum():
            return _quote(str(value.value))
        case str() | Path():
            return _quote(str(value))
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = dataclasses.fields(value)
            shown = (f"{each.name} = {show_value(getattr(value, each.name), secret=not each.repr)}" for each in fields)
            return "{ " + ", ".join(shown) + " }"
        case _:
            raise AssertionError(f"a setting of type {type(value)} cannot be shown yet: teach show.py")


def _lines(tree: SettingsTree[Any], loaded: Loaded[Any]) -> Iterator[str]:
    yield _HEAD
    current = ""
    for path, setting in tree.all.items():
        section, _, name = path.rpartition(".")
        if section != current:
            yield from ("", f"[{section}]")
            current = section
        note = f"  # {source}" if (source := loaded.sources.get(path)) else ""
        yield f"{name} = {show_value(value_at(loaded.settings, path), secret=setting.secret)}{note}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a TOML basic string has the same escapes
