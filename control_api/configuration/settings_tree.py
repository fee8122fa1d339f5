"""Which settings there are: the fields of `ServerSettings`, walked down to values, each with its path and type."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_type_hints

from control_api.settings import ServerSettings

ENVIRONMENT_PREFIX: Final = "HALQA_"
DATA_PATH: Final = "data"

_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: a field of a settings dataclass."""

    path: str
    """E.g. "signaling.room.participants_max": sections and the field, as a file writes them."""
    type: Any
    """The field's annotation."""
    secret: bool
    """Never shown, and may come from a file of its own: the field was declared with `repr=False`."""

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return ENVIRONMENT_PREFIX + self.path.replace(".", "_").upper()


@functools.cache
def all_settings() -> Mapping[str, Setting]:
    """Return every setting by its path, in the order of declaration."""
    return MappingProxyType({setting.path: setting for setting in _walk(ServerSettings, ())})


def settings_fields(owner: type[Any]) -> Iterator[tuple[dataclasses.Field[Any], Any]]:
    """Yield the fields of a settings dataclass with their annotations."""
    hints = get_type_hints(owner)
    for field in dataclasses.fields(owner):
        if field.init:
            yield field, hints[field.name]


def is_section(annotation: object) -> bool:
    """Return whether a field of this type is a section, i.e. a dataclass of settings."""
    return isinstance(annotation, type) and dataclasses.is_dataclass(annotation)


def value_at(settings: ServerSettings, path: str) -> object:
    """Return the value of a setting."""
    return functools.reduce(getattr, path.split("."), settings)


def build_settings(values: Mapping[str, object], *, fallback_data: Path = Path()) -> ServerSettings:
    """Return settings with these values by path and defaults for the rest; raises what the dataclasses raise."""
    built = _build(ServerSettings, (), {DATA_PATH: fallback_data, **values})
    assert isinstance(built, ServerSettings)
    return built


def _walk(owner: type[Any], parents: _Path) -> Iterator[Setting]:
    """Yield a section's own values before those of its sub-sections, as TOML wants them written."""
    fields = list(settings_fields(owner))
    for field, annotation in fields:
        if not is_section(annotation):
            yield Setting(".".join((*parents, field.name)), annotation, secret=not field.repr)
    for field, annotation in fields:
        if is_section(annotation):
            yield from _walk(annotation, (*parents, field.name))


def _build(owner: type[Any], parents: _Path, values: Mapping[str, object]) -> object:
    arguments: dict[str, object] = {}
    for field, annotation in settings_fields(owner):
        path = (*parents, field.name)
        name = ".".join(path)
        if is_section(annotation):
            if any(given.startswith(f"{name}.") for given in values):
                arguments[field.name] = _build(annotation, path, values)
        elif name in values:
            arguments[field.name] = values[name]
    return owner(**arguments)
