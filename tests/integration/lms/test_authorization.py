"""The authorization matrix: every endpoint, by every role, by nobody, and with ids of another school."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from lms.access.roles import PERMISSIONS, Permission, Role
from lms.api.endpoint import AnyEndpoint, Open
from lms.application import endpoints_of
from tests.support.lms import School

ROWS_WITHOUT_IDS = UUID(int=7)


def path_of(endpoint: AnyEndpoint, value: object = ROWS_WITHOUT_IDS) -> str:
    return re.sub(r"[{]\w+[}]", str(value), endpoint.path)


async def ask(school: School, endpoint: AnyEndpoint, **options: Any) -> int:
    body: dict[str, Any] = {}
    if endpoint.body is not None:
        body = {"json": {"no such field": 1}}
    elif endpoint.takes_body:
        body = {"content": b"", "content_type": endpoint.body_media_type}
    return (await school.request(endpoint.method, path_of(endpoint), **body, **options)).status


async def test_every_endpoint_by_every_role(school: School) -> None:
    """Who may not is refused before anything is read; who may gets any other answer, but never a failure."""
    wrong: list[str] = []
    for endpoint in endpoints_of(school.parts):
        nobody = await ask(school, endpoint)
        if endpoint.access is not Open.ANYBODY and nobody != 401:
            wrong.append(f"{endpoint.operation} answers nobody with {nobody}")
        for role in Role:
            status = await ask(school, endpoint, as_=school.people[role])
            allowed = not isinstance(endpoint.access, Permission) or endpoint.access in PERMISSIONS[role]
            if status >= 500 or (not allowed and status != 403):
                wrong.append(f"{endpoint.operation} answers {role.value} with {status}")
    assert not wrong


async def test_ids_of_another_school_are_unknown(school: School) -> None:
    """Invariant 14: what is another organization's looks like what is not there."""
    theirs = school.other
    person = await theirs.person(Role.STUDENT)
    for method, path in (
        ("GET", f"/users/{person.id}"),
        ("DELETE", f"/users/{person.id}"),
        ("GET", f"/users/{person.id}/guardians"),
        ("POST", f"/users/{person.id}/invite"),
    ):
        answer = await school.request(method, path, as_=school.owner)
        assert (answer.status, answer.code) == (404, "not_found")
    roles = await school.put(f"/users/{person.id}/roles", {"roles": ["owner"]}, as_=school.owner)
    assert roles.status == 404
    assert (await theirs.get("/auth/me", as_=person)).data["roles"] == ["student"]


async def test_every_route_is_an_endpoint_or_known(school: School) -> None:
    operations = [endpoint.operation for endpoint in endpoints_of(school.parts)]
    assert len(operations) == len(set(operations))
