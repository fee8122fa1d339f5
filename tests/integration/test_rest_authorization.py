"""Every endpoint of the control API, made from its document: nobody, keys without the scope, keys for other rooms."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from control_api.contract import CreateKey, KeyWithSecret, Scope
from tests.support.control_service import ControlService, running

VALUES = {"room": "school-a.1", "participant": "p", "track": "t", "name": "lms", "key": "key-1", "resource": "r"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, Scope]]:
    """Yield method, path and scope of what needs an API key."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["security"] and "api_key" in operation["security"][0]:
                *_, scope = re.findall(r"Needs the scope `([\w:]+)`", operation["description"])
                yield method.upper(), path, Scope(scope)


async def ask(service: ControlService, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Return status and code of a request with an empty body."""
    url = service.url + path.format(**VALUES)
    sent = {"Content-Type": "application/json", **headers}
    async with service.http.request(method, url, data=b"{}", headers=sent) as answer:
        return answer.status, (await answer.json(content_type=None)).get("error", {}).get("code", "")


def show(key: KeyWithSecret) -> dict[str, str]:
    credentials = base64.b64encode(f"{key.key.id}:{key.secret}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


async def test_nobody_and_wrong_keys_reach_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.control.put_room(VALUES["room"], None)
        asked = list(operations(await service.control.get_document()))
        assert len(asked) > 25
        for method, path, _ in asked:
            assert await ask(service, method, path, {}) == (401, "no_key"), path
            wrong = {"Authorization": "Basic " + base64.b64encode(b"key-1:wrong").decode()}
            assert await ask(service, method, path, wrong) == (401, "bad_key"), path
            token = {"Authorization": "Bearer e30.e30.e30"}
            assert (await ask(service, method, path, token))[0] == 401, path


async def test_key_without_the_scope_reaches_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        asked = list(operations(await service.control.get_document()))
        for scope in {scope for _, _, scope in asked}:
            others = tuple(each for each in Scope if each is not scope)
            key = await service.control.create_key(CreateKey(name="others", scopes=others))
            for method, path, needed in asked:
                if needed is scope:
                    assert await ask(service, method, path, show(key)) == (403, "missing_scope"), path


async def test_key_for_other_rooms_reaches_none_of_these(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.control.put_room(VALUES["room"])
        key = await service.control.create_key(CreateKey(name="school b", scopes=tuple(Scope), rooms="school-b.*"))
        for method, path, _ in operations(await service.control.get_document()):
            if "{room}" in path:
                assert await ask(service, method, path, show(key)) == (403, "room_not_allowed"), path
        headers = {**show(key), "Content-Type": "application/json"}
        for path, body in (("rooms", {"name": "school-a.1"}), ("tokens", {"room": "school-a.1", "identity": "s"})):
            async with service.http.post(f"{service.url}/v1/{path}", json=body, headers=headers) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (403, "room_not_allowed")
        assert (await service.control.get_room(VALUES["room"])).begun is False
