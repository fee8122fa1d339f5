"""One set of settings out of all sources: a flag wins over the environment, that over the file, that over defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from control_api.configuration.settings_tree import DATA_PATH, build_settings
from control_api.configuration.sources import Given, Layer
from control_api.settings import ServerSettings, SettingsError
from media.errors import LocalError


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and of those that are not a default where they came from, by path."""

    settings: ServerSettings
    sources: Mapping[str, str]


def load_settings(layers: Sequence[Layer]) -> Loaded:
    """Merge layers, the strongest first, and check the result; raises SettingsError that names the culprit."""
    merged: dict[str, Given] = {}
    for layer in reversed(layers):
        merged.update(layer)
    if DATA_PATH not in merged:
        raise SettingsError(
            "the data folder is not set: flag --data, environment variable HALQA_DATA or data in the file"
        )
    values = {path: given.value for path, given in merged.items()}
    try:
        settings = build_settings(values)
    except (LocalError, ValueError) as error:
        raise SettingsError(f"{_find_culprits(merged)}: {error}") from None
    return Loaded(settings, {path: given.source for path, given in merged.items()})


def _find_culprits(merged: Mapping[str, Given]) -> str:
    """Return the source of the one value that does not work even alone, or of all those of its section."""
    alone = [given.source for path, given in merged.items() if _fails({path: given.value})]
    if alone:
        return alone[0]
    sections: dict[str, dict[str, Given]] = {}
    for path, given in merged.items():
        sections.setdefault(path.rpartition(".")[0], {})[path] = given
    for section in sections.values():
        if _fails({path: given.value for path, given in section.items()}):
            return " with ".join(given.source for given in section.values())
    return "settings"


def _fails(values: Mapping[str, object]) -> bool:
    try:
        build_settings(values, fallback_data=Path())
    except (LocalError, ValueError):
        return True
    return False
