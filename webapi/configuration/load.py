"""One set of settings out of all sources: a flag wins over the environment, that over the file, that over defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from webapi.configuration.settings_tree import DATA_PATH, SettingsT, SettingsTree
from webapi.configuration.sources import Given, Layer


@dataclass(frozen=True, slots=True)
class Loaded(Generic[SettingsT]):
    """Settings, and of those that are not a default where they came from, by path."""

    settings: SettingsT
    sources: Mapping[str, str]


def load_settings(tree: SettingsTree[SettingsT], layers: Sequence[Layer]) -> Loaded[SettingsT]:
    """Merge layers, the strongest first, and check the result; raises the tree's error that names the culprit."""
    merged: dict[str, Given] = {}
    for layer in reversed(layers):
        merged.update(layer)
    if DATA_PATH not in merged:
        variable = tree.variable_of(DATA_PATH)
        raise tree.error(
            f"the data folder is not set: flag --data, environment variable {variable} or data in the file"
        )
    values = {path: given.value for path, given in merged.items()}
    try:
        settings = tree.build(values)
    except tree.faults as error:
        raise tree.error(f"{_find_culprits(tree, merged)}: {error}") from None
    return Loaded(settings, {path: given.source for path, given in merged.items()})


def _find_culprits(tree: SettingsTree[Any], merged: Mapping[str, Given]) -> str:
    """Return the source of the one value that does not work even alone, or of all those of its section."""
    alone = [given.source for path, given in merged.items() if _fails(tree, {path: given.value})]
    if alone:
        return alone[0]
    sections: dict[str, dict[str, Given]] = {}
    for path, given in merged.items():
        sections.setdefault(path.rpartition(".")[0], {})[path] = given
    for section in sections.values():
        if _fails(tree, {path: given.value for path, given in section.items()}):
            return " with ".join(given.source for given in section.values())
    return "settings"


def _fails(tree: SettingsTree[Any], values: Mapping[str, object]) -> bool:
    try:
        tree.build(values, fallback_data=Path())
    except tree.faults:
        return True
    return False
