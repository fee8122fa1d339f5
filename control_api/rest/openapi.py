"""From endpoints to an OpenAPI 3.1 document: paths from the table, schemas from the structs of the contract. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from control_api.contract.errors import ErrorAnswer
from control_api.rest.descriptions import describe_class, describe_fields
from control_api.rest.endpoint import JSON, AnyEndpoint, Reply
from control_api.rest.problems import Problem

OPENAPI: Final = "3.1.0"
SCHEMA_PATH: Final = "#/components/schemas/{name}"
REALM_KEY: Final = "api_key"
REALM_CONTROL: Final = "control_token"
REALM_TOKEN: Final = "join_token"  # noqa: S105 - a name

SECURITY: Final = {
    REALM_KEY: {
        "type": "http",
        "scheme": "basic",
        "description": "The id of an API key as user, its secret as password.",
    },
    REALM_CONTROL: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token with `aud` `halqa-control` that an API key signed for at most an hour.",
    },
    REALM_TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The token with which somebody joins a room: `POST /v1/tokens` signs one.",
    },
}

IDEMPOTENCY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Chosen by you, e.g. a UUID. Sent again with the same request within a day, it gets the first "
    "answer again, and nothing is done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}

_NAMES: Final = re.compile(r"[{](\w+)[}]")


def build_document(
    endpoints: Iterable[AnyEndpoint], *, title: str, version: str, description: str, tags: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the document as plain values; `tags` are the chapters with their explanations, in order."""
    endpoints = tuple(endpoints)
    shapes = _shapes(endpoints)
    references, components = msgspec.json.schema_components(shapes, ref_template=SCHEMA_PATH)
    twice = [name for name in components if "." in name]
    assert not twice, f"two structs have the same name: {twice}"
    described = {shape.__name__: shape for shape in _reached(shapes)}
    for name, schema in components.items():
        _describe(schema, described.get(name))
    schema_of = dict(zip(shapes, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schema_of, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    parameters = {each.__name__ for e in endpoints for each in (e.parameters, e.query) if each is not None}
    return {
        "openapi": OPENAPI,
        "info": {"title": title, "version": version, "description": description},
        "tags": [{"name": name, "description": text} for name, text in tags],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components) if name not in parameters},
            "securitySchemes": SECURITY,
        },
    }


def _shapes(endpoints: Iterable[AnyEndpoint]) -> list[type]:
    """Return every struct that the endpoints name, each once."""
    shapes: dict[type, None] = {ErrorAnswer: None}
    for endpoint in endpoints:
        for shape in (endpoint.parameters, endpoint.query, endpoint.body):
            if shape is not None:
                shapes[shape] = None
        for reply in endpoint.answers.values():
            if reply.body is not None:
                shapes[reply.body] = None
    return list(shapes)


def _reached(shapes: Iterable[type]) -> Iterable[type]:
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
    endpoint: AnyEndpoint, schema_of: dict[type, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.operation,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": _text(endpoint),
        "parameters": _parameters(endpoint, components),
        "responses": {str(status): _response(reply, schema_of) for status, reply in endpoint.answers.items()},
    }
    if endpoint.body is not None:
        content = {endpoint.body_media_type: {"schema": schema_of[endpoint.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif endpoint.body_media_type != JSON:
        content = {endpoint.body_media_type: {"schema": {"type": "string"}}}
        operation["requestBody"] = {"required": True, "content": content}
    operation["responses"] |= _refusals(endpoint, schema_of[ErrorAnswer])
    if endpoint.scope is not None:
        operation["security"] = [{REALM_KEY: []}, {REALM_CONTROL: []}]
    elif endpoint.join_token:
        operation["security"] = [{REALM_TOKEN: []}]
    else:
        operation["security"] = []
    return operation


def _text(endpoint: AnyEndpoint) -> str:
    scope = "" if endpoint.scope is None else f"Needs the scope `{endpoint.scope.value}`."
    return "\n\n".join(part for part in (endpoint.description, scope) if part)


def _parameters(endpoint: AnyEndpoint, components: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    places = (("path", endpoint.parameters), ("query", endpoint.query))
    for where, shape in places:
        if shape is None:
            continue
        schema = components[shape.__name__]
        required = schema.get("required", [])
        for name, described in schema["properties"].items():
            inner = dict(described)
            parameter = {"name": name, "in": where, "required": name in required}
            if text := inner.pop("description", ""):
                parameter["description"] = text
            found.append({**parameter, "schema": _without_null(inner)})
    if endpoint.idempotency_key:
        found.append(IDEMPOTENCY_HEADER)
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: there is no null in a URL, a parameter that says nothing is left out."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}}
    return schema


def _response(reply: Reply, schema_of: dict[type, dict[str, Any]]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": reply.meaning}
    if reply.headers:
        response["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in reply.headers.items()
        }
    if reply.body is not None:
        response["content"] = {reply.media_type: {"schema": schema_of[reply.body]}}
    elif reply.media_type != JSON:
        response["content"] = {reply.media_type: {"schema": {"type": "string"}}}
    return response


def problems_of(endpoint: AnyEndpoint) -> tuple[Problem, ...]:
    """Return every refusal that an endpoint may meet, by status."""
    problems = {*endpoint.problems}
    if endpoint.scope is not None:
        problems |= {Problem.NO_KEY, Problem.BAD_KEY, Problem.MISSING_SCOPE, Problem.RATE_LIMITED}
        if "{room}" in endpoint.path:
            problems.add(Problem.ROOM_NOT_ALLOWED)
    if endpoint.run is not None:
        problems.add(Problem.BAD_FIELD)  # unknown query parameters, too
        if endpoint.body is not None:
            problems |= {Problem.BAD_JSON, Problem.BODY_TIMEOUT, Problem.TOO_LARGE, Problem.WRONG_CONTENT_TYPE}
    if endpoint.idempotency_key:
        problems |= {Problem.IN_PROGRESS, Problem.KEY_REUSED}
    return tuple(sorted(problems, key=lambda each: (each.status, each.code)))


def _refusals(endpoint: AnyEndpoint, schema: dict[str, Any]) -> dict[str, Any]:
    by_status: dict[int, list[Problem]] = {}
    for problem in problems_of(endpoint):
        by_status.setdefault(problem.status, []).append(problem)
    return {
        str(status): {
            "description": " ".join(f"`{each.code}`: {each.meaning}" for each in problems),
            "content": {JSON: {"schema": schema}},
        }
        for status, problems in by_status.items()
    }
