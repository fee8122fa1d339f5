"""From endpoints to an OpenAPI 3.1 document: paths from the table, schemas from the structs of the contract. Pure.

A service turns its endpoints into `Operation`s, which say nothing that the document does not, and describes those.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from webapi.descriptions import describe_class, describe_fields

OPENAPI: Final = "3.1.0"
SCHEMA_PATH: Final = "#/components/schemas/{name}"
JSON: Final = "application/json"

IDEMPOTENCY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Chosen by you, e.g. a UUID. Sent again with the same request within a day, it gets the first "
    "answer again, and nothing is done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, as it is described."""

    meaning: str
    body: Any | None = None
    """A struct, or a list of structs: whatever msgspec makes a schema of."""
    media_type: str = JSON
    or_media_type: str | None = None
    """Another one of a file, which the request may choose."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header to meaning."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way in which an endpoint refuses."""

    code: str
    status: int
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a document says of one method of one address."""

    operation: str
    method: str
    path: str
    summary: str
    description: str
    tag: str
    parameters: Any | None = None
    """The struct of what stands in the path."""
    query: Any | None = None
    headers: Sequence[Mapping[str, Any]] = ()
    """Header parameters as OpenAPI writes them."""
    body: Any | None = None
    body_media_type: str = JSON
    answers: Mapping[int, Reply]
    refusals: Sequence[Refusal] = ()
    security: Sequence[Mapping[str, Sequence[str]]] = ()
    """Empty: nobody has to say who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a document says of the whole API."""

    title: str
    version: str
    description: str
    tags: Sequence[tuple[str, str]]
    """The chapters with their explanations, in order."""
    security_schemes: Mapping[str, Any]
    error: Any
    """The struct of every refusal."""
    wrap: Callable[[Schema, Reply], Schema] | None = None
    """Puts the schema of an answer's body into the envelope of the API, if it has one."""
    names_by_package: bool = False
    """Whether structs of different packages may share a name: then the package is put before it."""


def build_document(operations: Iterable[Operation], about: About) -> dict[str, Any]:
    """Return the document as plain values."""
    operations = tuple(operations)
    shapes = _shapes(operations, about.error)
    references, components = msgspec.json.schema_components(shapes, ref_template=SCHEMA_PATH)
    twice = [name for name in components if "." in name]
    assert about.names_by_package or not twice, f"two structs have the same name: {twice}"
    names = {name: _short_name(name) for name in components}
    assert len(set(names.values())) == len(names), f"two structs of one package have the same name: {twice}"
    pointers = [_renamed(reference, names) for reference in references]
    components = {names[name]: _renamed(schema, names) for name, schema in components.items()}
    reached = list(_reached(shapes))
    name_of = {shape: names.get(f"{shape.__module__}.{shape.__qualname__}", shape.__name__) for shape in reached}
    described = {name_of[shape]: shape for shape in reached}
    for name, schema in components.items():
        _describe(schema, described.get(name))
    schema_of = {_key(shape): schema for shape, schema in zip(shapes, pointers, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(
            each, schema_of, _parameters(each, components, name_of), about
        )
    parameters = {name_of[shape] for each in operations for shape in (each.parameters, each.query) if shape is not None}
    return {
        "openapi": OPENAPI,
        "info": {"title": about.title, "version": about.version, "description": about.description},
        "tags": [{"name": name, "description": text} for name, text in about.tags],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components) if name not in parameters},
            "securitySchemes": dict(about.security_schemes),
        },
    }


def _short_name(name: str) -> str:
    """Return the name of a component: where two structs share one, msgspec puts their modules before it.

    `lms.grades.messages.Change` becomes GradesChange: by the package that holds the module.
    """
    *modules, last = name.split(".")
    return last if not modules else "".join(part.capitalize() for part in modules[-2:-1]) + last


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    """Return a schema with references to the names as they are in the document."""
    if isinstance(schema, dict):
        return {
            key: SCHEMA_PATH.format(name=names[value.rpartition("/")[2]])
            if key == "$ref" and isinstance(value, str)
            else _renamed(value, names)
            for key, value in schema.items()
        }
    return [_renamed(each, names) for each in schema] if isinstance(schema, list) else schema


def _key(shape: Any) -> str:
    """Return what tells shapes apart: lists of structs are made anew each time they are written."""
    return repr(shape)


def _shapes(operations: Iterable[Operation], error: Any) -> list[Any]:
    """Return every shape that the operations name, each once."""
    shapes: dict[str, Any] = {_key(error): error}
    for each in operations:
        for shape in (each.parameters, each.query, each.body, *(reply.body for reply in each.answers.values())):
            if shape is not None:
                shapes[_key(shape)] = shape
    return list(shapes.values())


def _reached(shapes: Iterable[Any]) -> Iterable[Any]:
    """Return the structs and enums that these structs are made of, themselves too."""
    seen: set[type] = set()
    waiting: list[msgspec.inspect.Type] = [msgspec.inspect.type_info(shape) for shape in shapes]
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in seen:
                continue
            seen.add(info.cls)
            waiting += [field.type for field in info.fields]
        elif isinstance(info, msgspec.inspect.EnumType):
            seen.add(info.cls)
        elif isinstance(info, msgspec.inspect.UnionType | msgspec.inspect.TupleType):
            waiting += info.types if isinstance(info, msgspec.inspect.UnionType) else info.item_types
        elif isinstance(info, msgspec.inspect.Metadata):
            waiting.append(info.type)
        elif isinstance(info, msgspec.inspect.DictType):
            waiting += [info.key_type, info.value_type]
        elif isinstance(info, msgspec.inspect.CollectionType):
            waiting.append(info.item_type)
    return seen


def _describe(schema: dict[str, Any], shape: type | None) -> None:
    """Put what the source says of a struct and its fields into its schema."""
    if shape is None:
        return
    schema.pop("title", None)
    schema["description"] = describe_class(shape)
    fields = describe_fields(shape)
    if issubclass(shape, enum.Enum):
        meanings = [f"* `{each.value}`: {fields[each.name]}" for each in shape if each.name in fields]
        schema["description"] = "\n".join([schema["description"], *([""] if meanings else []), *meanings])
        return
    for name, inner in schema.get("properties", {}).items():
        if name in fields:
            schema["properties"][name] = _with_description(inner, fields[name])


def _with_description(schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {**schema, "description": text}


def _operation(
    each: Operation, schema_of: Mapping[str, Schema], parameters: list[dict[str, Any]], about: About
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": each.operation,
        "tags": [each.tag],
        "summary": each.summary,
        "description": each.description,
        "parameters": parameters,
        "responses": {str(status): _response(reply, schema_of, about.wrap) for status, reply in each.answers.items()},
    }
    if each.body is not None:
        content = {each.body_media_type: {"schema": schema_of[_key(each.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif each.body_media_type != JSON:
        content = {each.body_media_type: {"schema": {"type": "string"}}}
        operation["requestBody"] = {"required": True, "content": content}
    operation["responses"] |= _refusals(each.refusals, schema_of[_key(about.error)])
    operation["security"] = [{name: list(scopes) for name, scopes in one.items()} for one in each.security]
    return operation


def _parameters(each: Operation, components: Mapping[str, Schema], name_of: Mapping[Any, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for where, shape in (("path", each.parameters), ("query", each.query)):
        if shape is None:
            continue
        schema = components[name_of[shape]]
        required = schema.get("required", [])
        for name, described in schema["properties"].items():
            inner = dict(described)
            parameter = {"name": name, "in": where, "required": name in required}
            if text := inner.pop("description", ""):
                parameter["description"] = text
            found.append({**parameter, "schema": _without_null(inner)})
    found.extend(dict(header) for header in each.headers)
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: there is no null in a URL, a parameter that says nothing is left out."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}}
    return schema


def _response(
    reply: Reply, schema_of: Mapping[str, Schema], wrap: Callable[[Schema, Reply], Schema] | None
) -> dict[str, Any]:
    response: dict[str, Any] = {"description": reply.meaning}
    if reply.headers:
        response["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in reply.headers.items()
        }
    if reply.body is not None:
        schema = schema_of[_key(reply.body)]
        wrapped = wrap(schema, reply) if wrap is not None and reply.media_type == JSON else schema
        response["content"] = {reply.media_type: {"schema": wrapped}}
    elif reply.media_type != JSON:
        response["content"] = {reply.media_type: {"schema": {"type": "string"}}}
        if reply.or_media_type is not None:
            response["content"][reply.or_media_type] = {"schema": {}}
    return response


def _refusals(refusals: Sequence[Refusal], schema: Schema) -> dict[str, Any]:
    by_status: dict[int, list[Refusal]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal)
    return {
        str(status): {
            "description": " ".join(f"`{each.code}`: {each.meaning}" for each in same),
            "content": {JSON: {"schema": schema}},
        }
        for status, same in by_status.items()
    }
