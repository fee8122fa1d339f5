"""What was given where: settings in a file, in the environment and by flags, each with the words to name its source."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from webapi.configuration.convert import ConversionError, convert_text, convert_value, read_secret_file
from webapi.configuration.settings_tree import Setting, SettingsTree

CONFIG_BYTES_MAX: Final = 1 << 20
SECRET_FILE_SUFFIX: Final = "_FILE"  # noqa: S105 - as Docker names it
NEAR: Final = 0.75  # of 1: a letter or two are wrong


@dataclass(frozen=True, slots=True)
class Given:
    """A value and where it came from, e.g. "flag --port"."""

    value: object
    source: str


Layer = Mapping[str, Given]
"""What one source gives, by the settings' paths."""


def read_file(tree: SettingsTree[Any], path: Path) -> Layer:
    """Return the settings of a TOML file; raises the tree's error."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise tree.error(f"settings file {path} cannot be read: {error.strerror}") from None
    if len(content) > CONFIG_BYTES_MAX:
        raise tree.error(f"settings file {path} is {len(content)} bytes, expected at most {CONFIG_BYTES_MAX}")
    try:
        tables = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise tree.error(f"settings file {path} is not TOML: {error}") from None
    layer: dict[str, Given] = {}
    _take_table(tree, tables, "", path, layer)
    return layer


def read_environment(tree: SettingsTree[Any], environment: Mapping[str, str], short_names: Mapping[str, str]) -> Layer:
    """Return the settings of variables; `short_names` maps further names to paths. Raises the tree's error."""
    variables = {setting.variable: setting for setting in tree.all.values()}
    variables |= {name: tree.all[path] for name, path in short_names.items()}
    files = {name + SECRET_FILE_SUFFIX: setting for name, setting in variables.items() if setting.secret}
    layer: dict[str, Given] = {}
    for name, text in environment.items():
        ours = name.startswith(tree.prefix) and not name.startswith(tree.foreign_prefixes)
        if name == tree.config_variable or not (ours or name in short_names):
            continue
        source = f"environment variable {name}"
        if name in files:
            _put(tree, layer, files[name], source, partial(_read_secret, files[name], text))
            continue
        if (setting := variables.get(name)) is None:
            # Kubernetes makes such names for services, e.g. HALQA_SERVICE_HOST.
            hint = _suggest(name, variables) or " (in Kubernetes set enableServiceLinks: false)"
            raise tree.error(f"{source} is no setting{hint}")
        _put(tree, layer, setting, source, partial(convert_text, text, setting.type, secret=setting.secret))
    return layer


def read_flags(
    tree: SettingsTree[Any], chosen: Mapping[str, str | Sequence[str] | None], flags: Mapping[str, str]
) -> Layer:
    """Return the settings of short flags, name to text; `flags` maps names to paths. Raises the tree's error."""
    layer: dict[str, Given] = {}
    for name, given in chosen.items():
        if given is None:
            continue
        setting = tree.all[flags[name]]
        # A flag that may be repeated comes as a list; commas inside are taken apart as everywhere.
        text = given if isinstance(given, str) else ",".join(given)
        _put(tree, layer, setting, f"flag {name}", partial(convert_text, text, setting.type, secret=setting.secret))
    return layer


def read_assignments(tree: SettingsTree[Any], assignments: Iterable[str]) -> Layer:
    """Return the settings of `--set PATH=VALUE`; raises the tree's error."""
    layer: dict[str, Given] = {}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise tree.error(f"flag --set is {assignment!r}, expected PATH=VALUE, e.g. media.workers=4")
        setting = tree.all.get(path.strip())
        if setting is None:
            raise tree.error(f"flag --set names {path.strip()!r}, which is no setting{_suggest(path, tree.all)}")
        source = f"flag --set {setting.path}"
        _put(tree, layer, setting, source, partial(convert_text, text, setting.type, secret=setting.secret))
    return layer


def _take_table(
    tree: SettingsTree[Any], table: Mapping[str, Any], section: str, file: Path, layer: dict[str, Given]
) -> None:
    sections = {path.rpartition(".")[0] for path in tree.all}
    sections |= {parent.rpartition(".")[0] for parent in sections}
    for key, value in table.items():
        path = f"{section}.{key}" if section else key
        source = f"{path} of {file}"
        if (setting := tree.all.get(path)) is not None:
            _put(tree, layer, setting, source, partial(convert_value, value, setting.type, secret=setting.secret))
        elif path in sections and isinstance(value, dict):
            _take_table(tree, value, path, file, layer)
        elif path in sections:
            raise tree.error(f"{source} is a single value, expected a section: [{path}]")
        else:
            raise tree.error(f"{source} is no setting{_suggest(path, [*tree.all, *sections])}")


def _put(
    tree: SettingsTree[Any], layer: dict[str, Given], setting: Setting, source: str, read: Callable[[], object]
) -> None:
    if setting.path in layer:
        raise tree.error(f"{layer[setting.path].source} and {source} are two names of one setting; give one of them")
    try:
        layer[setting.path] = Given(read(), source)
    except ConversionError as error:
        raise tree.error(f"{source} {error}") from None
    except tree.faults as error:  # a table's own check
        raise tree.error(f"{source}: {error}") from None


def _read_secret(setting: Setting, path: str) -> object:
    return convert_text(read_secret_file(Path(path)), setting.type, secret=True)


def _suggest(wrong: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong, list(known), n=1, cutoff=NEAR)
    return f"; is {near[0]} meant?" if near else ""
