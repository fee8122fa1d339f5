"""Settings, hosts and quotas of an organization, and the operator's endpoints, on both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from lms.classes.tables import RecordingState, class_run, recording
from lms.database.settings import DatabaseSettings
from lms.operator.settings import OperatorSettings
from lms.settings import HttpSettings
from tests.integration.lms.classes.test_held_classes import ONLY_SQLITE, plan_now, school_with_media
from tests.support.lms import Answer, School, running_school

TOKEN = "operator-" * 5
PATH = "/operator/organizations"


@pytest.fixture
async def operated(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[School]:
    """A school with an operator who has a token."""
    http = HttpSettings(port=0, public_url="https://classes.example.org")
    operator = OperatorSettings(token=TOKEN)
    async with running_school(tmp_path, database_settings, http=http, operator=operator) as running:
        yield running


async def operate(school: School, slug: str = "al-noor", **changes: Any) -> Answer:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    version = (await school.get(f"{PATH}/{slug}", headers=headers)).data["version"]
    return await school.patch(f"{PATH}/{slug}", changes, headers=headers, version=version)


async def test_settings_are_versioned_and_typed(school: School) -> None:
    present = (await school.get("/organization", as_=school.admin)).data
    settings = {"students_may_message": False, "keep_chat_days": 30}
    changed = await school.patch("/organization", {"settings": settings}, as_=school.admin, version=present["version"])
    assert changed.data["settings"]["keep_chat_days"] == 30
    stale = await school.patch("/organization", {"settings": {}}, as_=school.admin, version=present["version"])
    assert stale.status == 409
    for wrong, field in (
        ({"keep_chat_days": 0}, "settings.keep_chat_days"),
        ({"keep_chat_days": "30"}, "settings.keep_chat_days"),
        ({"branding": {"primary_colour": "red"}}, "settings.branding.primary_colour"),
        ({"no_such": 1}, "settings.no_such"),
    ):
        answer = await school.patch("/organization", {"settings": wrong}, as_=school.admin, version=2)
        assert (answer.status, answer.error["details"]["field"]) == (400, field)
    assert (await school.patch("/organization", {"settings": {}}, as_=school.manager, version=2)).status == 403


async def test_an_organization_is_known_by_its_host(operated: School) -> None:
    school = operated
    assert (await school.get("/organization/public")).code == "organization_needed"
    host = f"{PATH}/al-noor/hosts/al-noor.example.org"
    assert (await school.put(host, headers={"Authorization": f"Bearer {TOKEN}"})).data["state"] == "verified"
    assert (await school.put("/organization/hosts/al-noor.example.org", as_=school.admin)).data["state"] == "verified"
    by_host = await school.get("/organization/public", headers={"Host": "al-noor.example.org"})
    assert (by_host.data["slug"], by_host.data["time_zone"]) == ("al-noor", "Asia/Riyadh")
    named = await school.get("/organization/public", organization="other-school")
    assert (named.data["name"], "settings" in named.data) == ("Other School", False)
    taken = await school.put("/organization/hosts/al-noor.example.org", as_=school.other.admin)
    assert (taken.status, taken.code) == (409, "already_taken")
    everybodys = await school.put("/organization/hosts/classes.example.org", as_=school.admin)
    assert (everybodys.status, everybodys.code) == (409, "already_taken")
    assert (await school.delete("/organization/hosts/al-noor.example.org", as_=school.other.admin)).status == 404
    assert (await school.delete("/organization/hosts/al-noor.example.org", as_=school.admin)).status == 204
    assert (await school.get("/organization", as_=school.admin)).data["hosts"] == []


async def test_the_operator_sets_quotas_that_hold(operated: School) -> None:
    school = operated
    assert (await school.get(PATH)).status == 401
    assert (await school.get(PATH, as_=school.owner)).status == 401
    assert (await school.get(PATH, headers={"Authorization": "Bearer wrong"})).status == 401
    listed = await school.get(PATH, headers={"Authorization": f"Bearer {TOKEN}"})
    assert [each["slug"] for each in listed.data] == ["al-noor", "other-school"]
    people = listed.data[0]["usage"]["users"]
    changed = await operate(school, quota={"max_users": people + 1, "max_participants": 20}, plan="basic")
    assert (changed.data["plan"], changed.data["quota"]["max_users"]) == ("basic", people + 1)
    seen = (await school.get("/organization/quota", as_=school.manager)).data
    assert (seen["quota"]["max_users"], seen["usage"]["users"]) == (people + 1, people)
    assert (await school.post("/users", {"name": "A"}, as_=school.admin)).status == 201
    refused = await school.post("/users", {"name": "B"}, as_=school.admin, language="en")
    assert (refused.status, refused.code) == (422, "quota_exceeded")
    assert refused.error["details"]["field"] == "max_users"
    now = school.clock.now()
    times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat()}
    wide = {"title": "A", "settings": {"participants_max": 21}, **times}
    assert (await school.post("/live-classes", wide, as_=school.admin)).error["details"]["field"] == "max_participants"
    narrow = {"title": "A", "settings": {"participants_max": 20}, **times}
    assert (await school.post("/live-classes", narrow, as_=school.admin)).status == 201
    assert (await school.other.post("/users", {"name": "B"}, as_=school.other.admin)).status == 201
    log = (await school.get("/audit", as_=school.owner, action="organization.operate")).data
    assert (log[0]["actor_id"], log[0]["new"]["plan"]) == (None, "basic")


async def test_who_is_suspended_is_out_at_once(operated: School) -> None:
    school = operated
    assert (await school.get("/organization", as_=school.admin)).status == 200
    assert (await operate(school, status="suspended")).status == 200
    assert (await school.get("/organization", as_=school.admin)).status in {401, 403}
    assert (await operate(school, status="active")).status == 200
    assert (await school.get("/organization", as_=school.admin)).status == 200


async def test_without_a_token_there_is_no_operator(school: School) -> None:
    assert (await school.get(PATH, headers={"Authorization": "Bearer "})).status == 401


@ONLY_SQLITE
async def test_classes_at_once_seats_and_recordings(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    operator = OperatorSettings(token=TOKEN)
    async with school_with_media(tmp_path, database_settings, operator=operator) as (school, _, control):
        quota = {"max_rooms": 1, "max_participants": 2, "recording_hours": 1}
        assert (await operate(school, quota=quota)).status == 200
        first, second = await plan_now(school, None), await plan_now(school, None)
        assert (await school.post(f"{first}/start", as_=school.teacher)).status == 200
        refused = await school.post(f"{second}/start", as_=school.teacher)
        assert (refused.status, refused.error["details"]["field"]) == (422, "max_rooms")
        rooms = [room async for room in control.all_rooms()]
        assert [room.limits.participants_max for room in rooms] == [2]
        ticket = (await school.post(f"{first}/join", {}, as_=school.teacher)).data
        assert ticket["recording_refused"] is None
        await add_recording(school, hours=1)
        ticket = (await school.post(f"{first}/join", {}, as_=school.teacher)).data
        assert ticket["recording_refused"] == "recording_hours"
        assert (await school.post(f"{first}/end", as_=school.teacher)).status == 200
        assert (await school.post(f"{second}/start", as_=school.teacher)).status == 200


async def add_recording(school: School, hours: int) -> None:
    async with school.database.write(school.org_id) as transaction:
        run_id = await transaction.value(class_run.select().with_only_columns(class_run.c.id))
        now = transaction.now
        row = {
            "run_id": run_id, "record_id": "r", "name": "", "state": RecordingState.PROCESSED, "protected": False,
            "started_at": now, "ended_at": now + timedelta(hours=hours), "metadata": {}, "version": 1,
            "created_at": now,
        }  # fmt: skip
        await transaction.execute(insert(recording).values(org_id=school.org_id, id=school.parts.ids.new(), **row))
