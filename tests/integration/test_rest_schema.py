"""Schemathesis against a whole server: whatever the OpenAPI document allows or forbids, it answers as it says there.

Requests are made from the document: valid and invalid ones, and chains in which an answer feeds the next request. More
of them with HALQA_TEST_EXAMPLES (per endpoint), e.g. 500. A seed makes runs repeatable; HALQA_TEST_SEED is another.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from control_api.contract import CreateKey, Scope
from tests.support.control_service import ControlService, running

EXAMPLES = int(os.environ.get("HALQA_TEST_EXAMPLES", "4"))
SEED = os.environ.get("HALQA_TEST_SEED", "7")

CODEC = "cp1256"
"""What texts are made of: Latin and Arabic letters, with marks. All of Unicode makes patterns that take a minute."""

HARMLESS = (
    "^(get_room|list_participants|get_participant|mute|change_permissions|admit|list_tracks|send_message|control)"
)
"""Operations after which everybody is still there."""

# Spoken in other ways than by requests and answers of JSON: WebSocket, SDP, Prometheus. They have tests of their own.
ELSEWHERE = r"^/(whip|whep|metrics|drain)|/ws$|/rooms/[^/]+/ice-servers$"

CONFIGURATION = """
request-timeout = 10

[generation]
codec = "{codec}"

[parameters]
wait_s = 0
{parameters}

[checks]
positive_data_acceptance.expected-statuses = [
    "2xx", 401, 403, 404, 409, 410, 413, 422, 429
]
ensure_resource_availability.enabled = false  # who admits nobody is told 404, of the person and not of the room
"""

_CLASS = re.compile(r"\\p\{(\w+)\}")


@cache
def characters(category: str) -> str:
    """Return what is of a Unicode category (L, Nd ...) and of the codec, as the inside of brackets in an expression."""
    alphabet = bytes(range(256)).decode(CODEC, errors="ignore")
    return re.escape("".join(each for each in alphabet if unicodedata.category(each).startswith(category)))


def spell_out(document: dict[str, Any]) -> bytes:
    r"""Return the document with \p{...} in patterns spelt out: Schemathesis makes texts by Python's expressions."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get("pattern"), str):
                pattern = _CLASS.sub(lambda match: characters(match[1]), value["pattern"])
                return {**{key: walk(each) for key, each in value.items()}, "pattern": pattern}
            return {key: walk(each) for key, each in value.items()}
        return [walk(each) for each in value] if isinstance(value, list) else value

    return json.dumps(walk(document)).encode()


async def schemathesis(service: ControlService, folder: Path, *options: str, **parameters: str) -> None:
    """Run it with some parameters fixed; fail with its report."""
    lines = "\n".join(f'{name} = "{value}"' for name, value in parameters.items())
    (folder / "openapi.json").write_bytes(spell_out(await service.control.get_document()))
    (folder / "schemathesis.toml").write_text(CONFIGURATION.format(parameters=lines, codec=CODEC))
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
        *(
            "run",
            "openapi.json",
            "--url",
            service.url,
            "-H",
            f"Authorization: {service.authorization['Authorization']}",
        ),
        *("--exclude-path-regex", ELSEWHERE, "--max-examples", str(EXAMPLES), "--seed", SEED),
        *("--continue-on-failure", "--warnings", "off", "--no-color", *options),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    report = output.decode(errors="replace")
    assert process.returncode == 0, report
    assert re.search(r"Tested: +\d\d", report), report


@pytest.mark.timeout(60 + 10 * EXAMPLES)
async def test_server_keeps_to_its_document(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as service:
        other = await service.control.create_key(CreateKey(name="to be rotated", scopes=(Scope.ROOMS_READ,)))
        await service.control.put_room("algebra-7b")
        await schemathesis(service, tmp_path, key=other.key.id)


@pytest.mark.timeout(60 + 10 * EXAMPLES)
async def test_server_keeps_to_its_document_in_a_class(tmp_path: Path) -> None:
    """With people in the room whom everything is about; what ends their stay is left to the other tests."""
    async with running(tmp_path / "data") as service:
        teacher, track = await service.publish(
            "algebra-7b", "t1"
        )  # whose media never comes: in long runs it is put out
        student = await service.join("algebra-7b", "s1")
        listening = [asyncio.create_task(person.hear_close(patience_s=None)) for person in (teacher, student)]
        only = ("--phases", "fuzzing", "--mode", "positive", "--include-operation-id-regex", HARMLESS)
        known = {"room": "algebra-7b", "participant": student.id, "track": track}
        try:
            await schemathesis(service, tmp_path, *only, **known)
            inside = await service.control.list_participants("algebra-7b")
            assert "s1" in [each.identity for each in inside.participants]
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
