"""The manual of the control API tells the truth: its examples are run, every endpoint has one, every code is there."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from control_api.client import ControlClient
from control_api.contract import Role, Source
from control_api.rest.problems import Problem
from signaling.keys import StaticKeys
from signaling.tokens import check_token
from tests.support.control_service import ControlService, running

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "control_api" / "api.md").read_text(encoding="utf-8")

# Endpoints whose manuals are others, or whose answers are no JSON; each has tests of its own.
ELSEWHERE = {"join_room", "get_ice_servers_of_room", "read_metrics", "check_ready", "drain", "get_drain"}
ELSEWHERE |= {f"{protocol}_{verb}" for protocol in ("whip", "whep") for verb in ("start", "change", "end")}

# Differs from run to run, whatever the example says.
VARYING = {"at", "boot_id", "created_at", "cursor", "expires_at", "earlier_secret_until", "id", "joined_at", "node"}
VARYING |= {"revoked_at", "scopes", "secret", "token", "uptime_s"}


class Example(NamedTuple):
    """One request with its answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: str | None
    status: int
    answer: Any


def parse(block: str) -> Example:
    asked, _, answered = block.partition("\n\n")
    first, *rest = asked.split("\n")
    method, path = first.split(" ")
    body = rest.pop() if rest and rest[-1].startswith("{") else None
    status, _, answer = answered.strip().partition("\n")
    headers = dict(line.split(": ", 1) for line in rest)
    return Example(method, path, headers, body, int(status), json.loads(answer) if answer else None)


EXAMPLES = [parse(block) for block in re.findall(r"```http\n(.*?)```", TEXT, re.DOTALL)]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ControlService]:
    async with running(tmp_path) as service:
        yield service


async def people(service: ControlService) -> dict[str, str]:
    """Bring those into the class who are in the examples; return what the examples call them, and what they are."""
    teacher, track = await service.publish("algebra-7b", "teacher-1")
    waiting = []
    for identity, name in (("student-17", "Maryam"), ("student-18", "Yusuf")):
        person = await service.connect("algebra-7b", identity, name=name, publish=(Source.CAMERA, Source.MICROPHONE))
        await person.say(type="join", id=1, slots=[])
        person.id = (await person.hear("waiting"))["participant"]
        waiting.append(person)
    await teacher.say(type="admit", id=9, participant=waiting[0].id)
    await waiting[0].hear("joined")
    return {
        "pA1m9bT7cK3x": teacher.id,
        "tM4c6gV9rX2b": track,
        "pB2n7dR5wE4z": waiting[0].id,
        "pW8a1tI3nG5q": waiting[1].id,
    }


def same(found: Any, told: Any, where: str) -> None:
    """Fail unless an answer is the one of the example, but for what varies; no field is missing or untold."""
    if isinstance(told, dict):
        assert isinstance(found, dict), where
        assert found.keys() == told.keys(), where
        for name, value in told.items():
            if name in VARYING:
                assert (found[name] is None) == (value is None), f"{where}.{name}"
            else:
                same(found[name], value, f"{where}.{name}")
    elif isinstance(told, list):
        assert isinstance(found, list), where
        assert len(found) == len(told), where
        for index, (each, value) in enumerate(zip(found, told, strict=True)):
            same(each, value, f"{where}[{index}]")
    else:
        assert found == told, where


async def test_examples_of_the_manual_are_what_happens(service: ControlService) -> None:
    names: dict[str, str] = {"X3kq0ZtYc0Ma": ""}
    for example in EXAMPLES:
        if example.method == "GET" and example.path.startswith("/v1/rooms?"):
            names |= await people(service)
        path, answer = example.path, json.dumps(example.answer)
        for told, real in names.items():
            path = path.replace(told, real)
        body = example.body
        for told, real in names.items():
            body = None if body is None else body.replace(told, real)
            answer = answer.replace(told, real)
        headers = {**service.authorization, **example.headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        async with service.http.request(example.method, service.url + path, data=body, headers=headers) as response:
            text = await response.text()
            where = f"{example.method} {example.path}"
            assert response.status == example.status, f"{where}: {text}"
            found: Any = json.loads(text) if text else {}
            if example.path == "/v1/rooms" and example.method == "POST":
                answer = answer.replace('"name": ""', f'"name": "{found["name"]}"')
            if example.path == "/v1/keys" and example.method == "POST":
                names["key-9f8e7d6c"] = found["key"]["id"]
            same(found, json.loads(answer) or {}, where)


async def test_every_endpoint_has_an_example_and_a_method_of_the_client(service: ControlService) -> None:
    document = await service.control.get_document()
    missing = []
    operations = {each["operationId"] for methods in document["paths"].values() for each in methods.values()}
    assert not [each for each in operations - ELSEWHERE - {"check_alive"} if not hasattr(ControlClient, each)]
    for path, methods in document["paths"].items():
        form = re.compile(re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(path)) + r"(\?.*)?")
        for method, operation in methods.items():
            shown = any(each.method == method.upper() and form.fullmatch(each.path) for each in EXAMPLES)
            if not shown and operation["operationId"] not in ELSEWHERE:
                missing.append(f"{method.upper()} {path}")
    assert not missing


def test_every_code_is_told_with_its_status() -> None:
    told = {
        code: int(status)
        for status, codes in re.findall(r"^\| (\d{3}) \| (.*) \|$", TEXT, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert told == {problem.code: problem.status for problem in Problem}


async def test_program_of_the_manual_works(service: ControlService) -> None:
    [program] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    key_id, secret = service.key.split(":")
    token = await names["invite"](service.url, key_id, secret)
    grants = check_token(token, StaticKeys({key_id: secret.encode()}), wallclock=time.time())
    assert (grants.room, grants.role, grants.moderate) == ("physics-8a", Role.TEACHER, True)
    assert (await service.control.get_room("physics-8a")).door.value == "waiting"
