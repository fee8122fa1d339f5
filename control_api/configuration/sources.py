"""What was given where: settings in a file, in the environment and by flags, each with the words to name its source."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from control_api.configuration.convert import ConversionError, convert_text, convert_value, read_secret_file
from control_api.configuration.settings_tree import ENVIRONMENT_PREFIX, Setting, all_settings
from control_api.settings import SettingsError
from media.errors import LocalError

CONFIG_VARIABLE: Final = "HALQA_CONFIG"
CONFIG_BYTES_MAX: Final = 1 << 20
SECRET_FILE_SUFFIX: Final = "_FILE"  # noqa: S105 - as Docker names it
NEAR: Final = 0.75  # of 1: a letter or two are wrong
FOREIGN_PREFIXES: Final = ("HALQA_TEST_", "HALQA_BENCHMARK_")  # of the test suite and the benchmarks


@dataclass(frozen=True, slots=True)
class Given:
    """A value and where it came from, e.g. "flag --port"."""

    value: object
    source: str


Layer = Mapping[str, Given]
"""What one source gives, by the settings' paths."""


def read_file(path: Path) -> Layer:
    """Return the settings of a TOML file; raises SettingsError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"settings file {path} cannot be read: {error.strerror}") from None
    if len(content) > CONFIG_BYTES_MAX:
        raise SettingsError(f"settings file {path} is {len(content)} bytes, expected at most {CONFIG_BYTES_MAX}")
    try:
        tables = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path} is not TOML: {error}") from None
    layer: dict[str, Given] = {}
    _take_table(tables, "", path, layer)
    return layer


def read_environment(environment: Mapping[str, str], short_names: Mapping[str, str]) -> Layer:
    """Return the settings of HALQA_* variables; `short_names` maps further names to paths. Raises SettingsError."""
    variables = {setting.variable: setting for setting in all_settings().values()}
    variables |= {name: all_settings()[path] for name, path in short_names.items()}
    files = {name + SECRET_FILE_SUFFIX: setting for name, setting in variables.items() if setting.secret}
    layer: dict[str, Given] = {}
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX) or name == CONFIG_VARIABLE or name.startswith(FOREIGN_PREFIXES):
            continue
        source = f"environment variable {name}"
        if name in files:
            _put(layer, files[name], source, partial(_read_secret, files[name], text))
            continue
        if (setting := variables.get(name)) is None:
            # Kubernetes makes such names for services, e.g. HALQA_SERVICE_HOST.
            hint = _suggest(name, variables) or " (in Kubernetes set enableServiceLinks: false)"
            raise SettingsError(f"{source} is no setting{hint}")
        _put(layer, setting, source, partial(convert_text, text, setting.type, secret=setting.secret))
    return layer


def read_flags(chosen: Mapping[str, str | Sequence[str] | None], flags: Mapping[str, str]) -> Layer:
    """Return the settings of short flags, name to text; `flags` maps names to paths. Raises SettingsError."""
    layer: dict[str, Given] = {}
    for name, given in chosen.items():
        if given is None:
            continue
        setting = all_settings()[flags[name]]
        # A flag that may be repeated comes as a list; commas inside are taken apart as everywhere.
        text = given if isinstance(given, str) else ",".join(given)
        _put(layer, setting, f"flag {name}", partial(convert_text, text, setting.type, secret=setting.secret))
    return layer


def read_assignments(assignments: Iterable[str]) -> Layer:
    """Return the settings of `--set PATH=VALUE`; raises SettingsError."""
    layer: dict[str, Given] = {}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise SettingsError(f"flag --set is {assignment!r}, expected PATH=VALUE, e.g. media.workers=4")
        setting = all_settings().get(path.strip())
        if setting is None:
            raise SettingsError(
                f"flag --set names {path.strip()!r}, which is no setting{_suggest(path, all_settings())}"
            )
        source = f"flag --set {setting.path}"
        _put(layer, setting, source, partial(convert_text, text, setting.type, secret=setting.secret))
    return layer


def _take_table(table: Mapping[str, Any], section: str, file: Path, layer: dict[str, Given]) -> None:
    sections = {path.rpartition(".")[0] for path in all_settings()}
    sections |= {parent.rpartition(".")[0] for parent in sections}
    for key, value in table.items():
        path = f"{section}.{key}" if section else key
        source = f"{path} of {file}"
        if (setting := all_settings().get(path)) is not None:
            _put(layer, setting, source, partial(convert_value, value, setting.type, secret=setting.secret))
        elif path in sections and isinstance(value, dict):
            _take_table(value, path, file, layer)
        elif path in sections:
            raise SettingsError(f"{source} is a single value, expected a section: [{path}]")
        else:
            raise SettingsError(f"{source} is no setting{_suggest(path, [*all_settings(), *sections])}")


def _put(layer: dict[str, Given], setting: Setting, source: str, read: Callable[[], object]) -> None:
    if setting.path in layer:
        raise SettingsError(f"{layer[setting.path].source} and {source} are two names of one setting; give one of them")
    try:
        layer[setting.path] = Given(read(), source)
    except ConversionError as error:
        raise SettingsError(f"{source} {error}") from None
    except (LocalError, ValueError) as error:  # a table's own check
        raise SettingsError(f"{source}: {error}") from None


def _read_secret(setting: Setting, path: str) -> object:
    return convert_text(read_secret_file(Path(path)), setting.type, secret=True)


def _suggest(wrong: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong, list(known), n=1, cutoff=NEAR)
    return f"; is {near[0]} meant?" if near else ""
