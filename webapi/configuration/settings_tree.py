"""Which settings there are: the fields of a dataclass, walked down to values, each with its path and type."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar, get_type_hints

DATA_PATH: Final = "data"

_Path = tuple[str, ...]

SettingsT = TypeVar("SettingsT")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: a field of a settings dataclass."""

    path: str
    """E.g. "signaling.room.participants_max": sections and the field, as a file writes them."""
    type: Any
    """The field's annotation."""
    secret: bool
    """Never shown, and may come from a file of its own: the field was declared with `repr=False`."""
    variable: str
    """Its name in the environment."""


class SettingsTree(Generic[SettingsT]):
    """The settings of one program: what hangs on the dataclass `root`."""

    def __init__(
        self,
        root: type[SettingsT],
        *,
        prefix: str,
        error: type[Exception],
        faults: tuple[type[Exception], ...],
        foreign_prefixes: Sequence[str] = (),
    ) -> None:
        """`prefix` is that of variables in the environment, but for those with one of the `foreign_prefixes`.

        `error` is raised for a setting that cannot work; `faults` is what the dataclasses raise.
        """
        self.root = root
        self.prefix = prefix
        self.error = error
        self.faults: tuple[type[Exception], ...] = (*faults, ValueError)
        self.foreign_prefixes = tuple(foreign_prefixes)
        found = (Setting(path, kind, secret, self.variable_of(path)) for path, kind, secret in _walk(root, ()))
        self.all: Mapping[str, Setting] = MappingProxyType({setting.path: setting for setting in found})
        """Every setting by its path, in the order of declaration."""

    def variable_of(self, path: str) -> str:
        """Return the name of a setting in the environment."""
        return self.prefix + path.replace(".", "_").upper()

    @property
    def config_variable(self) -> str:
        """The variable that names a settings file."""
        return f"{self.prefix}CONFIG"

    def build(self, values: Mapping[str, object], *, fallback_data: Path = Path()) -> SettingsT:
        """Return settings with these values by path, defaults for the rest; raises what the dataclasses raise."""
        built = _build(self.root, (), {DATA_PATH: fallback_data, **values})
        assert isinstance(built, self.root)
        return built


def settings_fields(owner: type[Any]) -> Iterator[tuple[dataclasses.Field[Any], Any]]:
    """Yield the fields of a settings dataclass with their annotations."""
    hints = get_type_hints(owner)
    for field in dataclasses.fields(owner):
        if field.init:
            yield field, hints[field.name]


def is_section(annotation: object) -> bool:
    """Return whether a field of this type is a section, i.e. a dataclass of settings."""
    return isinstance(annotation, type) and dataclasses.is_dataclass(annotation)


def value_at(settings: object, path: str) -> object:
    """Return the value of a setting."""
    return functools.reduce(getattr, path.split("."), settings)


def _walk(owner: type[Any], parents: _Path) -> Iterator[tuple[str, Any, bool]]:
    """Yield path, type and secrecy of a section's own values before those of sub-sections, as TOML wants them."""
    fields = list(settings_fields(owner))
    for field, annotation in fields:
        if not is_section(annotation):
            yield ".".join((*parents, field.name)), annotation, not field.repr
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
