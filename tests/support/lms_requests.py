"""Requests made from the OpenAPI document: right ones, and such that differ from a right one in a single field.

for operation in operations_of(document):
    school.request(operation.method, operation.address(ids), operation.body(ids), as_=...)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

PREFIX: Final = "/api/v1"
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_PLACE: Final = re.compile(r"[{](\w+)[}]")

LATER: Final = {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T10:00:00Z"}
"""What else would contradict each other."""
MOMENT: Final = "2026-11-23T09:30:00Z"

Place = tuple[str | int, ...]
"""From a body's outside to a field: names, and numbers in lists."""


@dataclass(frozen=True)
class Field:
    """A text of a body or query."""

    place: Place
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The last name on the way."""
        return next(each for each in reversed(self.place) if isinstance(each, str))

    @property
    def is_id(self) -> bool:
        return self.schema.get("format") == "uuid"


class Operation:
    """One method of one address."""

    def __init__(self, document: Mapping[str, Any], method: str, path: str) -> None:
        self._schemas = document["components"]["schemas"]
        self._told = document["paths"][path][method.lower()]
        self.method = method
        self.path = path
        self.name: str = self._told["operationId"]

    @property
    def media_type(self) -> str | None:
        """Of its body; None: it takes none."""
        return next(iter(self._told.get("requestBody", {}).get("content", {})), None)

    @property
    def places(self) -> tuple[str, ...]:
        """The names in its address."""
        return tuple(_PLACE.findall(self.path))

    @property
    def id_places(self) -> tuple[str, ...]:
        """Those of them that are ids."""
        told = {each["name"]: self._solve(each["schema"]) for each in self._told.get("parameters", ())}
        return tuple(each for each in self.places if told.get(each, {}).get("format") == "uuid")

    @property
    def query(self) -> tuple[Field, ...]:
        """Texts of its query."""
        asked = [each for each in self._told.get("parameters", ()) if each["in"] == "query"]
        return tuple(
            Field((each["name"],), leaf)
            for each in asked
            for place, leaf in self._texts(each["schema"], ())
            if not place
        )

    @property
    def needed_query(self) -> dict[str, str]:
        """What it cannot do without."""
        asked = [each for each in self._told.get("parameters", ()) if each["in"] == "query" and each.get("required")]
        return {each["name"]: str(self._value(each["schema"], {}, each["name"])) for each in asked}

    @property
    def answers(self) -> Mapping[str, Any]:
        """What it answers, by status."""
        told: Mapping[str, Any] = self._told["responses"]
        return told

    def address(self, ids: Mapping[str, str]) -> str:
        """Return its address with these ids and names."""
        return _PLACE.sub(lambda match: ids[match[1]], self.path)

    def body(self, ids: Mapping[str, str], place: Place = (), value: Any = None) -> Any:
        """Return a body with what must be there, and with one field more or other, if it is given."""
        schema = self._schema
        if schema is None:
            return None
        made = self._value(schema, ids, "", place)
        if not place:
            return made
        inner = made
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
        return made

    @property
    def texts(self) -> tuple[Field, ...]:
        """Every text of its body that is free, or an id."""
        schema = self._schema
        return () if schema is None else tuple(Field(place, leaf) for place, leaf in self._texts(schema, ()))

    @property
    def _schema(self) -> Mapping[str, Any] | None:
        told: Mapping[str, Any] = self._told.get("requestBody", {}).get("content", {})
        return told["application/json"]["schema"] if "application/json" in told else None

    def _solve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema that is meant: behind a reference, and the one that is not null."""
        while True:
            if "$ref" in schema:
                schema = self._schemas[schema["$ref"].rpartition("/")[2]]
            elif "anyOf" in schema:
                schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
            else:
                return schema

    def _texts(self, schema: Mapping[str, Any], place: Place) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        solved = self._solve(schema)
        match solved.get("type"):
            case "object":
                for name, inner in solved.get("properties", {}).items():
                    yield from self._texts(inner, (*place, name))
            case "array":
                yield from self._texts(solved["items"], (*place, 0))
            case "string" if "enum" not in solved:
                yield place, solved
            case _:
                return

    def _value(self, schema: Mapping[str, Any], ids: Mapping[str, str], name: str, wanted: Place = ()) -> Any:
        """Return a value; `wanted` is the way to a field that must be there, too."""
        solved = self._solve(schema)
        if "enum" in solved:
            return solved["enum"][0]
        if "const" in solved:
            return solved["const"]
        match solved.get("type"):
            case "object":
                needed = set(solved.get("required", ()))
                return {
                    key: self._value(inner, ids, key, wanted[1:] if wanted and wanted[0] == key else ())
                    for key, inner in solved.get("properties", {}).items()
                    if key in needed or (wanted and wanted[0] == key)
                }
            case "array":
                inner = self._value(solved["items"], ids, _singular(name), wanted[1:])
                return [inner] * max(1, solved.get("minItems", 0))
            case "string":
                return self._text(solved, ids, name)
            case "integer":
                return max(1, solved.get("minimum", 1))
            case "number":
                return solved.get("minimum", 1)
            case _:
                return deepcopy(solved.get("default", False))

    def _text(self, schema: Mapping[str, Any], ids: Mapping[str, str], name: str) -> str:
        if schema.get("format") == "uuid":
            return ids[name]
        if schema.get("format") == "date-time":
            return LATER.get(name, MOMENT)
        if name in ids:
            return ids[name]
        if "examples" in schema:
            return str(schema["examples"][0])
        return str(schema.get("default") or "x" * max(12, schema.get("minLength", 1)))


def operations_of(document: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Return all operations of a document, in its order."""
    return tuple(
        Operation(document, method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in _METHODS
    )


def _singular(name: str) -> str:
    return name.removesuffix("s")
