"""Schemathesis against the whole LMS, as every role: whatever its document allows or not, it answers as it says there.

Requests are made from the document: valid and invalid ones, and chains in which an answer feeds the next request. By
default each request is another role's. With HALQA_TEST_EXAMPLES of 20 or more (per endpoint; 200 is thorough) every
role asks by itself, too, on both databases; HALQA_TEST_ROLES says which ones, however many examples, e.g.
"owner,operator,anonymous" or "everybody". A seed makes runs repeatable; HALQA_TEST_SEED is another. HALQA_TEST_TAGS
asks only for some chapters of the document, e.g. "Chat,Offline".
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from lms.access.roles import Role
from lms.courses.rules import CourseRole
from lms.database.settings import DatabaseSettings
from lms.operator.settings import OperatorSettings
from lms.settings import MediaServerSettings
from tests.integration.lms.grading import enrol, make_course
from tests.integration.test_rest_schema import CODEC, spell_out
from tests.support.lms import School, running_school
from tests.support.media_process import media_process

EXAMPLES: Final = int(os.environ.get("HALQA_TEST_EXAMPLES", "1"))
SEED: Final = os.environ.get("HALQA_TEST_SEED", "7")
TAGS: Final = tuple(filter(None, os.environ.get("HALQA_TEST_TAGS", "").split(",")))
EVERYBODY: Final = "everybody"
"""In turn."""
NOBODY: Final = "anonymous"
OPERATOR: Final = "operator"
EACH: Final = (EVERYBODY, *(role.value for role in Role), OPERATOR, NOBODY)
CHOSEN: Final = os.environ.get("HALQA_TEST_ROLES", "")
THOROUGH: Final = EXAMPLES >= 20 or CHOSEN != ""
WHO: Final = tuple(CHOSEN.split(",")) if CHOSEN else EACH if THOROUGH else (EVERYBODY,)
assert set(WHO) <= set(EACH), f"HALQA_TEST_ROLES is {CHOSEN!r}, expected some of {', '.join(EACH)}"

OPERATOR_TOKEN: Final = "of the operator " * 3

PHASES: Final = "fuzzing" if EXAMPLES < 5 else "fuzzing,stateful"

ELSEWHERE: Final = r"/(ws|metrics)$"
"""What is spoken in other ways than by requests and answers of JSON."""

CONFIGURATION: Final = """
request-timeout = 20
hooks = "hooks"

[generation]
codec = "{codec}"

[parameters]
{parameters}

[checks]
positive_data_acceptance.expected-statuses = [
    "2xx", 400, 401, 403, 404, 409, 410, 413, 422, 428, 429
]
negative_data_rejection.expected-statuses = ["4xx"]
ignored_auth.enabled = false  # requests get their token below, always; the authorization matrix asks without
ensure_resource_availability.enabled = false  # another role makes than looks
use_after_free.enabled = false
"""

HOOKS: Final = '''
import itertools
import random
import schemathesis

TOKENS = itertools.cycle({tokens!r})
CHANCE = random.Random({seed!r})

@schemathesis.hook
def before_call(context, case, kwargs):
    """Ask as the next one, and change what is there in its first version as often as in any other."""
    token = next(TOKENS)
    if CHANCE.random() < 0.05:
        return  # what a document without tokens makes up
    case.headers.pop("Authorization", None)
    if token:
        case.headers["Authorization"] = "Bearer " + token
    if "If-Match" in case.headers and CHANCE.random() < 0.5:
        case.headers["If-Match"] = CHANCE.choice(['"0"', '"1"', '"2"'])
'''


async def schemathesis(school: School, folder: Path, tokens: list[str], known: Mapping[str, object]) -> None:
    """Run it with these tokens in turn, "" is none, and some parameters of addresses fixed; fail with its report."""
    lines = "\n".join(f'{name} = "{value}"' for name, value in known.items())
    (folder / "hooks.py").write_text(HOOKS.format(tokens=tokens, seed=SEED))
    document = json.loads((await school.get("/openapi.json")).content)
    (folder / "openapi.json").write_bytes(spell_out(document))
    configuration = CONFIGURATION.format(parameters=lines, codec=CODEC)
    (folder / "schemathesis.toml").write_text(configuration)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
        *("run", "openapi.json", "--url", school.url, "--exclude-path-regex", ELSEWHERE),
        *("--max-examples", str(EXAMPLES), "--seed", SEED, "--phases", PHASES),
        *("--continue-on-failure", "--warnings", "off", "--no-color"),
        *(part for tag in TAGS for part in ("--include-tag", tag)),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    report = output.decode(errors="replace")
    assert process.returncode == 0, report
    assert re.search(r"Tested: +\d" if TAGS else r"Tested: +\d\d", report), report


async def furnish(school: School) -> dict[str, object]:
    """Return the ids of a course in which everybody has their part and there is something of everything."""
    course = await make_course(school, students=2)
    for role in (CourseRole.TEACHER, CourseRole.TA, CourseRole.STUDENT):
        await enrol(school, course.id, school.people[Role(role.value)], role)
    looked_after = f"/users/{school.student.id}/guardians/{school.people[Role.OBSERVER].id}"
    assert (await school.put(looked_after, as_=school.owner)).status == 204
    item = await course.item()
    for student in (course.students[0], school.student):
        assert (await course.grade(item, student, "7")).status == 200
    begin = school.clock.now() + timedelta(minutes=5)
    planned = {
        "title": "Algebra",
        "course_id": str(course.id),
        "starts_at": begin.isoformat(),
        "ends_at": (begin + timedelta(hours=1)).isoformat(),
    }
    held = await school.post("/live-classes", planned, as_=course.teacher)
    assert held.status == 201, held.body
    return {
        "course_id": course.id,
        "item_id": item["id"],
        "category_id": course.category["id"],
        "class_id": held.data["id"],
        "user_id": school.student.id,
        "org_id": school.org_id,
        "slug": "other-school",  # the operator may suspend it
    }


@pytest.mark.timeout(120 + 30 * EXAMPLES)
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("database_settings", ["sqlite", "postgresql"] if THOROUGH else ["sqlite"], indirect=True)
async def test_service_keeps_to_its_document(who: str, database_settings: DatabaseSettings, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "lms").mkdir()
    async with media_process(tmp_path / "media") as media:
        key = media.key
        chosen = MediaServerSettings(url=media.url, key=f"{key.key_id}:{key.secret.decode()}")
        operator = OperatorSettings(token=OPERATOR_TOKEN)
        async with running_school(tmp_path, database_settings, media_server=chosen, operator=operator) as school:
            known = await furnish(school)
            tokens = {role.value: person.token for role, person in school.people.items()}
            tokens |= {OPERATOR: OPERATOR_TOKEN, NOBODY: ""}
            await schemathesis(school, tmp_path, [*tokens.values()] if who == EVERYBODY else [tokens[who]], known)
