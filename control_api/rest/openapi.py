"""What the OpenAPI document says of the control API's endpoints: security and refusals; `webapi` writes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from control_api.contract.errors import ErrorAnswer
from control_api.rest.endpoint import AnyEndpoint
from control_api.rest.problems import Problem
from webapi import openapi
from webapi.openapi import IDEMPOTENCY_HEADER, About, Operation, Refusal

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


def build_document(
    endpoints: Iterable[AnyEndpoint], *, title: str, version: str, description: str, tags: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the document as plain values; `tags` are the chapters with their explanations, in order."""
    about = About(
        title=title,
        version=version,
        description=description,
        tags=tags,
        security_schemes=SECURITY,
        error=ErrorAnswer,
    )
    return openapi.build_document((_operation(each) for each in endpoints), about)


def _operation(endpoint: AnyEndpoint) -> Operation:
    return Operation(
        operation=endpoint.operation,
        method=endpoint.method,
        path=endpoint.path,
        summary=endpoint.summary,
        description=_text(endpoint),
        tag=endpoint.tag,
        parameters=endpoint.parameters,
        query=endpoint.query,
        headers=(IDEMPOTENCY_HEADER,) if endpoint.idempotency_key else (),
        body=endpoint.body,
        body_media_type=endpoint.body_media_type,
        answers=endpoint.answers,
        refusals=[Refusal(each.code, each.status, each.meaning) for each in problems_of(endpoint)],
        security=_security(endpoint),
    )


def _security(endpoint: AnyEndpoint) -> Sequence[dict[str, Sequence[str]]]:
    if endpoint.scope is not None:
        return ({REALM_KEY: ()}, {REALM_CONTROL: ()})
    return ({REALM_TOKEN: ()},) if endpoint.join_token else ()


def _text(endpoint: AnyEndpoint) -> str:
    scope = "" if endpoint.scope is None else f"Needs the scope `{endpoint.scope.value}`."
    return "\n\n".join(part for part in (endpoint.description, scope) if part)


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
            problems |= {
                Problem.BAD_JSON,
                Problem.BODY_TIMEOUT,
                Problem.BROKEN_BODY,
                Problem.TOO_LARGE,
                Problem.WRONG_CONTENT_TYPE,
            }
    if endpoint.idempotency_key:
        problems |= {Problem.IN_PROGRESS, Problem.KEY_REUSED}
    return tuple(sorted(problems, key=lambda each: (each.status, each.code)))
