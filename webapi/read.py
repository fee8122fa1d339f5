"""From the bytes of a request to checked structs; an error names field, value and what was expected. Pure.

A body becomes plain values first, so that what stood in a wrong field can be told, and then its struct. Which codes and
status a service gives to what cannot be read is its own to say.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec.inspect import CollectionType, DictType, EnumType, Metadata, StructType, UnionType

from webapi.shapes import Request

RequestT = TypeVar("RequestT", bound=Request)

DEPTH_MAX: Final = 24
"""Of a body: 16 levels of a value that is passed on, and what stands around it."""

WHOLE_FLOATS_MAX: Final = 64
"""Of one request; there are no more whole numbers in any."""

VALUE_CHARACTERS_MAX: Final = 100
"""How much of a wrong value is told back."""

_PLACE: Final = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<place>(?:key in )?\$[^`]*)`)?$", re.DOTALL)
_STEP: Final = re.compile(r"\.([A-Za-z_0-9]+)|\[(\d+)\]")
_NAMED: Final = re.compile(r"^Object (?:contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL)
_WHOLE_WANTED: Final = re.compile(r"^Expected `int( \| null)?`, got `float`$")
_QUOTED: Final = re.compile(r"`([^`]+)`")
_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "uuid": "an id (UUID)",
    "decimal": "a decimal number",
    "datetime": "a time such as 2026-11-23T08:00:00Z",
    "date": "a day such as 2026-11-23",
    "time": "an hour such as 08:00:00",
    "duration": "a duration such as PT45M",
    "bytes": "Base64",
}
_FORMS: Final = (
    ("Invalid UUID", "uuid"),
    ("Invalid decimal", "decimal"),
    ("Invalid RFC3339 encoded datetime", "datetime"),
    ("Invalid epoch timestamp", "datetime"),
    ("Invalid RFC3339 encoded date", "date"),
    ("Invalid RFC3339 encoded time", "time"),
    ("Invalid ISO8601 duration", "duration"),
    ("Only units 'D'", "duration"),
    ("Invalid base64", "bytes"),
)
"""How msgspec begins to say that a text has not the form of something; the first that fits."""
_RULES: Final = (
    (" length ", "length"),
    ("out of range", "range"),
    (" matching regex", "pattern"),
    ("` >", "range"),
    ("` <", "range"),
)
_GOT: Final = re.compile(r", got (?:`\w+`|\d+)$")
_BYTE: Final = re.compile(r"\(byte (\d+)\)")


class Fault(enum.Enum):
    """What kind of thing is wrong."""

    JSON = "json"
    """The body is no JSON in UTF-8, or is nested too deeply."""
    FIELD = "field"
    """A parameter or a field is unknown, missing or wrong."""


class UnreadableError(Exception):
    """A request that does not say what it must; the message is a sentence in English."""

    def __init__(
        self,
        fault: Fault,
        message: str,
        *,
        field: str | None = None,
        value: Any = None,
        expected: str | None = None,
        rule: str = "",
    ) -> None:
        """`rule` is for programs and translators: which rule the value broke."""
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.field = field
        self.value = value
        self.expected = expected
        self.rule = rule


def read_body(content: bytes, shape: type[RequestT]) -> RequestT:
    """Return the body; raises UnreadableError."""
    try:
        value = msgspec.json.decode(content)
    except UnicodeDecodeError as error:
        message = f"The body is not UTF-8 at byte {error.start} of a text."
        expected = f"UTF-8, which a text is not at its byte {error.start}"
        raise UnreadableError(Fault.JSON, message, expected=expected, rule="utf-8") from None
    except RecursionError:
        raise _too_deep() from None
    except msgspec.MsgspecError as error:
        place = _BYTE.search(str(error))
        expected = "JSON" if place is None else f"JSON, which it is not at byte {place[1]}"
        raise UnreadableError(Fault.JSON, f"The body is not JSON: {error}", expected=expected, rule="json") from None
    if deeper_than(value, DEPTH_MAX):
        raise _too_deep()
    return convert(value, shape, strict=True)


def read_texts(pairs: Iterable[tuple[str, str]], shape: type[RequestT]) -> RequestT:
    """Return parameters of a path or a query; raises UnreadableError."""
    values: dict[str, str] = {}
    for name, text in pairs:
        if name in values:
            raise UnreadableError(
                Fault.FIELD, f"{name} is given more than once.", field=shorten(name), expected="one value", rule="once"
            )
        values[name] = text
    found = convert(values, shape, strict=False)
    for name, text in values.items():
        if getattr(found, name) is None:  # "null" is a text like any other in a URL
            message = f"{name} is {shorten(text)!r}; leave it out instead."
            raise UnreadableError(Fault.FIELD, message, field=name, value=text, expected="a value", rule="required")
    return found


def convert(value: Any, shape: type[RequestT], *, strict: bool) -> RequestT:
    """Return plain values as a struct; raises UnreadableError. Not `strict`: texts may stand for numbers."""
    for _ in range(WHOLE_FLOATS_MAX):
        try:
            return msgspec.convert(value, shape, strict=strict)
        except msgspec.ValidationError as error:
            if not _make_whole(str(error), value):
                raise _explain(str(error), value, shape) from None
    expected = "whole numbers without a fraction"
    message = f"The body has too many numbers like 7.0, expected {expected}."
    raise UnreadableError(Fault.FIELD, message, expected=expected, rule="type")


def _make_whole(message: str, value: Any) -> bool:
    """Put 7 in the place of 7.0, which in JSON is the same, where a whole number is wanted; False if that is not it."""
    match = _PLACE.match(message)
    if match is None or not _WHOLE_WANTED.match(match["reason"]) or not match["place"]:
        return False
    *steps, last = [name or int(index) for name, index in _STEP.findall(match["place"])]
    for step in steps:
        value = value[step]
    if not isinstance(value[last], float) or not value[last].is_integer():
        return False
    value[last] = int(value[last])
    return True


def deeper_than(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested more than so many levels."""
    layer: list[Any] = [value]
    for _ in range(levels + 1):
        layer = [inner for outer in layer for inner in _inside(outer)]
        if not layer:
            return False
    return True


def shorten(value: Any) -> Any:
    """Return a value as it may stand in an error: no long texts, nothing nested, nothing that UTF-8 cannot carry."""
    match value:
        case str():
            text = value.encode("utf-8", "replace").decode()
            return text if len(text) <= VALUE_CHARACTERS_MAX else text[:VALUE_CHARACTERS_MAX] + "…"
        case dict():
            return "{…}" if value else {}
        case list():
            return "[…]" if value else []
        case int() if abs(value) >= 1 << 53:
            return shorten(str(value))
        case _:
            return value


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _explain(message: str, value: Any, shape: type[Request]) -> UnreadableError:
    """Turn msgspec's words into field, value and expectation."""
    match = _PLACE.match(message)
    assert match is not None, "the pattern takes any text"
    reason, place = match["reason"], (match["place"] or "$").removeprefix("key in ")
    path, found = _walk(place, value)
    if (named := _NAMED.match(reason)) is not None:
        name = shorten(named["name"])
        path = f"{path}.{name}" if path else name
        if "unknown" in reason:
            reached = found.get(named["name"]) if isinstance(found, Mapping) else None
            return _bad_field(f"{path} is not known here.", path, shorten(reached), "no such field", "unknown")
        return _bad_field(f"{path} is missing.", path, None, "a value", "required")
    expected = _choices(shape, path) if reason.startswith("Invalid enum value") else _expected(reason)
    shown = msgspec.json.encode(shorten(found)).decode()
    return _bad_field(
        f"{path or 'The body'} is {shown}, expected {expected}.", path or None, shorten(found), expected, _rule(reason)
    )


def _too_deep() -> UnreadableError:
    message = f"The body is nested deeper than {DEPTH_MAX} levels."
    return UnreadableError(Fault.JSON, message, expected=f"at most {DEPTH_MAX} levels", rule="depth")


def _bad_field(message: str, path: str | None, value: Any, expected: str, rule: str) -> UnreadableError:
    return UnreadableError(Fault.FIELD, message, field=path, value=value, expected=expected, rule=rule)


def _rule(reason: str) -> str:
    """Return the name of the rule that msgspec's words tell of."""
    if reason.startswith("Invalid enum value"):
        return "choice"
    for words, rule in _RULES:
        if words in reason:
            return rule
    return "type" if reason.startswith("Expected ") else "form"


def _expected(reason: str) -> str:
    """Say what should have been there, in words that are not Python's."""
    if reason.startswith("Expected "):
        text = _GOT.sub("", reason.removeprefix("Expected "))
        return _QUOTED.sub(lambda match: " or ".join(_WORDS.get(each, each) for each in match[1].split(" | ")), text)
    for beginning, kind in _FORMS:
        if reason.startswith(beginning):
            return _WORDS[kind]
    if "out of range" in reason:
        return "a value that fits"
    return "one of the values in the documentation" if reason.startswith("Invalid value") else "another form"


def _choices(shape: type[Request], path: str) -> str:
    """Say which values an enum at this path has."""
    names = [name for name, _ in _STEP.findall(f".{path}") if name]
    found: list[msgspec.inspect.Type] = [msgspec.inspect.type_info(shape)]
    for name in names:
        found = [
            field.type
            for info in _flat(found)
            if isinstance(info, StructType)
            for field in info.fields
            if field.name == name
        ]
    values = [each.value for info in _flat(found) if isinstance(info, EnumType) for each in info.cls]
    return f"one of {', '.join(map(str, values))}" if values else "one of the values in the documentation"


def _flat(types: Iterable[msgspec.inspect.Type]) -> Iterator[msgspec.inspect.Type]:
    """Yield the types themselves, what unions are made of, and what is in lists and objects."""
    for info in types:
        yield info
        match info:
            case UnionType():
                yield from _flat(info.types)
            case CollectionType():
                yield from _flat([info.item_type])
            case DictType():
                yield from _flat([info.key_type, info.value_type])
            case Metadata():
                yield from _flat([info.type])
            case _:
                pass


def _walk(place: str, value: Any) -> tuple[str, Any]:
    """Return the place without its `$.`, and what stands there as far as the path can be followed."""
    for name, index in _STEP.findall(place):
        if name and isinstance(value, Mapping):
            value = value.get(name)
        elif index and isinstance(value, list):
            value = value[int(index)]
    return place.removeprefix("$").removeprefix("."), value
