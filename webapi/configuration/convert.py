"""From what somebody wrote, as text or as a TOML value, to the type of a setting; or a sentence that says what to do.

Text comes from flags and the environment: numbers and yes or no as one writes them, lists with commas between, tables
(webhook endpoints, say) as TOML. A secret may also be `{ file = "PATH" }`: the content of that file, without its end
of line.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import tomllib
import types
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from webapi.configuration.settings_tree import is_section, settings_fields

SECRET_FILE_BYTES_MAX: Final = 64 * 1024  # a key is a line; a larger file is something else
_NOTHING: Final = "none"
_BOOLEANS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER_CHARACTERS_MAX: Final = 40
_SHOWN_CHARACTERS_MAX: Final = 80


class ConversionError(ValueError):
    """A value that does not fit; the message says what was expected."""


def convert_text(text: str, annotation: Any, *, secret: bool = False) -> object:
    """Return the value of a flag or of the environment; raises ConversionError."""
    if _is_optional(annotation):
        if text == _NOTHING:
            return None
        return convert_text(text, _inner(annotation), secret=secret)
    if annotation is bool:
        if text.lower() not in _BOOLEANS:
            raise _unfit(text, "true or false", secret=secret)
        return _BOOLEANS[text.lower()]
    if annotation is int or annotation is float:
        return convert_value(_number(text, annotation), annotation, secret=secret)
    if get_origin(annotation) is tuple and not text.lstrip().startswith("["):
        if is_section(get_args(annotation)[0]):
            raise _unfit(text, f"a list of tables in TOML, {_example(get_args(annotation)[0])}", secret=secret)
        items = tuple(part.strip() for part in text.split(",") if part.strip())
        return tuple(convert_text(item, get_args(annotation)[0], secret=secret) for item in items)
    if get_origin(annotation) is tuple:
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise ConversionError(f"is no list in TOML: {error}") from None
        return convert_value(value, annotation, secret=secret)
    return convert_value(text, annotation, secret=secret)


def convert_value(value: object, annotation: Any, *, secret: bool = False) -> object:  # noqa: C901, PLR0912
    """Return a TOML value as the type of a setting; raises ConversionError."""
    if _is_optional(annotation):
        return None if value == _NOTHING else convert_value(value, _inner(annotation), secret=secret)
    if get_origin(annotation) is Literal:
        if value not in get_args(annotation):
            raise _unfit(value, f"one of {', '.join(map(str, get_args(annotation)))}", secret=secret)
        return value
    if get_origin(annotation) is tuple:
        if not isinstance(value, list | tuple):
            raise _unfit(value, "a list", secret=secret)
        return tuple(convert_value(item, get_args(annotation)[0], secret=secret) for item in value)
    if is_section(annotation):
        return _table(value, annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        names = [str(member.value) for member in annotation]
        if value not in names:
            raise _unfit(value, f"one of {', '.join(names)}", secret=secret)
        return annotation(value)
    if annotation is bool:
        if not isinstance(value, bool):
            raise _unfit(value, "true or false", secret=secret)
        return value
    if annotation is int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _unfit(value, "a whole number", secret=secret)
        return value
    if annotation is float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise _unfit(value, "a number", secret=secret)
        return float(value)
    if secret and isinstance(value, dict):
        return _read_secret(value)
    if annotation in {str, Path}:
        if not isinstance(value, str) or not value or "\0" in value:
            raise _unfit(value, "a text that is not empty" if annotation is str else "a path", secret=secret)
        return annotation(value)
    raise AssertionError(f"settings of type {annotation} cannot be read yet: teach convert.py")


def _table(value: object, owner: type[Any]) -> object:
    """Return a dataclass of a table inside a list, e.g. one webhook endpoint."""
    if not isinstance(value, dict):
        raise _unfit(value, f"a table, {_example(owner)}", secret=True)
    fields = {field.name: (field, annotation) for field, annotation in settings_fields(owner)}
    if unknown := sorted(set(value) - set(fields)):
        raise ConversionError(f"has {unknown[0]!r}, which is not known there; known are {', '.join(fields)}")
    arguments: dict[str, object] = {}
    for name, (field, annotation) in fields.items():
        if name in value:
            try:
                arguments[name] = convert_value(value[name], annotation, secret=not field.repr)
            except ConversionError as error:
                raise ConversionError(f"has {name} that {error}") from None
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConversionError(f"lacks {name}, expected {_example(owner)}")
    return owner(**arguments)


def _read_secret(table: dict[str, object]) -> str:
    path = table.get("file")
    if set(table) != {"file"} or not isinstance(path, str):
        raise ConversionError('is a table, expected a text or { file = "PATH" }')
    return read_secret_file(Path(path))


def read_secret_file(path: Path) -> str:
    """Return the text of a file that holds a secret; raises ConversionError."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(SECRET_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConversionError(f"is to come from {path}, which cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConversionError(f"is to come from {path}, which is no UTF-8 text") from None
    if not text.strip() or len(text) > SECRET_FILE_BYTES_MAX:
        expected = f"expected up to {SECRET_FILE_BYTES_MAX}"
        raise ConversionError(f"is to come from {path}, which has {len(text)} characters, {expected}")
    return text.rstrip("\r\n")


def _number(text: str, annotation: type[int | float]) -> object:
    if len(text) > _NUMBER_CHARACTERS_MAX:
        return text
    try:
        return annotation(text)
    except ValueError:
        return text  # told as what it is


def _is_optional(annotation: Any) -> bool:
    return get_origin(annotation) in {Union, types.UnionType} and type(None) in get_args(annotation)


def _inner(annotation: Any) -> Any:
    others = [argument for argument in get_args(annotation) if argument is not type(None)]
    assert len(others) == 1, f"{annotation} is more than one type or none"
    return others[0]


def _example(owner: type[Any]) -> str:
    return "{ " + ", ".join(f"{field.name} = ..." for field, _ in settings_fields(owner)) + " }"


def _unfit(value: object, expected: str, *, secret: bool) -> ConversionError:
    shown = "something else (not shown: a secret)" if secret else repr(value)[:_SHOWN_CHARACTERS_MAX]
    return ConversionError(f"is {shown}, expected {expected}")
