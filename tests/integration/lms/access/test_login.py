"""Logging in: by code and address, by token and cookie; renewal, ten tabs, theft; who guesses locks out himself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from lms.access.roles import Role
from lms.api.rate_limits import RateLimitSettings
from lms.audit.tables import audit_log
from lms.database.settings import DatabaseSettings
from lms.people.tables import UserStatus, app_user
from tests.support.lms import Answer, Person, School, running_school
from tests.support.lms_live import listening

PASSWORD = "a lamp beside the old well"


@pytest.fixture
async def muna(school: School) -> Person:
    return await with_password(school)


async def with_password(school: School, **columns: Any) -> Person:
    password_hash = await school.parts.passwords.hash(PASSWORD)
    named = {"email": "Muna@Example.org", "email_norm": "muna@example.org"}
    return await school.person(Role.STUDENT, name="Muna", password_hash=password_hash, **(named | columns))


async def log_in(school: School, login: str, password: str = PASSWORD, **options: Any) -> Answer:
    body = {"login": login, "password": password, "organization": "al-noor"} | options.pop("body", {})
    return await school.post("/auth/login", body, **options)


@pytest.mark.parametrize("spelled", ["code", "CODE", "muna@example.org", " MUNA@example.ORG "])
async def test_by_code_or_address(school: School, muna: Person, spelled: str) -> None:
    login = {"code": muna.code.lower(), "CODE": muna.code}.get(spelled, spelled)
    tokens = (await log_in(school, login)).data
    assert tokens["me"]["name"] == "Muna"
    assert tokens["me"]["roles"] == ["student"]
    me = await school.get("/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.data["id"] == str(muna.id)


async def test_all_that_is_wrong_looks_alike(school: School, muna: Person) -> None:
    await school.person(Role.STUDENT, name="Invited", code="INV1", status=UserStatus.INACTIVE)
    answers = [
        await log_in(school, muna.code, "another password"),
        await log_in(school, "NOBODY"),
        await log_in(school, "INV1"),
        await log_in(school, muna.code, body={"organization": "other-school"}),
        await log_in(school, muna.code, body={"organization": "no-such-school"}),
    ]
    assert {(each.status, each.code, each.error["message"]) for each in answers} == {
        (401, "bad_login", answers[0].error["message"])
    }
    arabic = await log_in(school, muna.code, "x", language="ar-SA,en;q=0.5")
    assert "غير صحيحة" in arabic.error["message"]


async def test_several_organizations_need_a_name(school: School, muna: Person) -> None:
    answer = await school.post("/auth/login", {"login": muna.code, "password": PASSWORD})
    assert (answer.status, answer.code) == (400, "organization_needed")


async def test_access_ends_after_a_quarter_of_an_hour(school: School, muna: Person) -> None:
    tokens = (await log_in(school, muna.code)).data
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    school.clock.turn(899)
    assert (await school.get("/auth/me", headers=headers)).status == 200
    school.clock.turn(2)
    answer = await school.get("/auth/me", headers=headers)
    assert (answer.status, answer.code) == (401, "bad_token")
    renewed = (await school.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).data
    headers = {"Authorization": f"Bearer {renewed['access_token']}"}
    assert (await school.get("/auth/me", headers=headers)).status == 200


async def test_ten_tabs_wake_up_with_one_refresh_token(school: School, muna: Person) -> None:
    tokens = (await log_in(school, muna.code)).data
    body = {"refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(*(school.post("/auth/refresh", body) for _ in range(10)))
    assert [each.status for each in answers] == [200] * 10
    for each in answers:  # each of them goes on by itself
        again = await school.post("/auth/refresh", {"refresh_token": each.data["refresh_token"]})
        assert again.status == 200


async def test_a_refresh_token_that_comes_late_again_ends_the_login(school: School, muna: Person) -> None:
    stolen = (await log_in(school, muna.code)).data["refresh_token"]
    renewed = (await school.post("/auth/refresh", {"refresh_token": stolen})).data["refresh_token"]
    school.clock.turn(31)
    late = await school.post("/auth/refresh", {"refresh_token": stolen})
    assert (late.status, late.code) == (401, "bad_refresh_token")
    assert (await school.post("/auth/refresh", {"refresh_token": renewed})).status == 401
    async with school.database.read(school.org_id) as transaction:
        actions = [row.action for row in await transaction.rows(select(audit_log.c.action).order_by(audit_log.c.seq))]
    assert actions == ["login", "login.reuse"]


async def test_refresh_tokens_end_after_seven_days(school: School, muna: Person) -> None:
    refresh = (await log_in(school, muna.code)).data["refresh_token"]
    school.clock.turn(7 * 86_400 - 1)
    refresh = (await school.post("/auth/refresh", {"refresh_token": refresh})).data["refresh_token"]
    school.clock.turn(7 * 86_400)
    assert (await school.post("/auth/refresh", {"refresh_token": refresh})).status == 401


async def test_garbage_is_no_refresh_token(school: School) -> None:
    for text in ("x", "0" * 32 + ".x", f"{school.org_id.hex}.abc", "\u0000", "é" * 40):
        answer = await school.post("/auth/refresh", {"refresh_token": text})
        assert answer.status in {400, 401}


async def test_cookies_are_for_our_own_pages(school: School, muna: Person) -> None:
    answer = await log_in(school, muna.code, body={"cookies": True})
    assert answer.data["access_token"] is None
    set_cookies = answer.headers.getall("Set-Cookie")
    assert all("HttpOnly" in each and "SameSite=Strict" in each for each in set_cookies)
    jar = {each.partition("=")[0]: each.partition("=")[2].partition(";")[0] for each in set_cookies}
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
    assert (await school.get("/auth/me", headers=cookies)).status == 200
    foreign = await school.post("/auth/refresh", {}, headers={**cookies, "Origin": "https://evil.example"})
    assert (foreign.status, foreign.code) == (403, "foreign_origin")
    ours = await school.post("/auth/refresh", {}, headers={**cookies, "Origin": school.url})
    assert ours.status == 200
    out = await school.post("/auth/logout", {}, headers={**cookies, "Origin": school.url})
    assert out.status == 204
    assert (await school.post("/auth/refresh", {}, headers=cookies)).status == 401


async def test_log_out_everywhere_ends_access_at_once(school: School, muna: Person) -> None:
    first, second = [(await log_in(school, muna.code)).data for _ in range(2)]
    logins = await school.get("/auth/logins", headers={"Authorization": f"Bearer {first['access_token']}"})
    assert len(logins.data) == 2
    await school.post("/auth/logout", {"refresh_token": first["refresh_token"], "everywhere": True})
    for tokens in (first, second):
        answer = await school.get("/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert answer.status == 401
        assert (await school.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})).status == 401


async def test_log_out_everywhere_closes_what_listens(school: School, muna: Person) -> None:
    tokens = (await log_in(school, muna.code)).data
    async with listening(school, muna) as client:
        await school.post("/auth/logout", {"refresh_token": tokens["refresh_token"], "everywhere": True})
        assert await client.closed() == 4403


async def test_a_suspended_account_is_out_within_seconds(school: School, muna: Person) -> None:
    assert (await school.get("/auth/me", as_=muna)).status == 200
    async with school.database.write(school.org_id) as transaction:  # as another process would
        await transaction.execute(update(app_user).where(app_user.c.id == muna.id).values(status=UserStatus.SUSPENDED))
    school.clock.turn(11)
    assert (await school.get("/auth/me", as_=muna)).status == 401


async def test_pupils_lock_out_themselves_alone(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    async with running_school(tmp_path, database_settings, rate_limits=RateLimitSettings()) as school:
        teacher = await with_password(school, code="TCH1001")
        first = await log_in(school, "TCH1001", body={"cookies": True}, headers=at("198.51.100.1"))
        device = next(each for each in first.headers.getall("Set-Cookie") if each.startswith("halqa_device="))
        guesses = [await log_in(school, "tch1001", "guess", headers=at("203.0.113.7")) for _ in range(8)]
        assert [each.status for each in guesses] == [401] * 5 + [429] * 3
        assert int(guesses[-1].headers["Retry-After"]) >= 1
        # From elsewhere, and with the browser that was logged in before even from there.
        assert (await log_in(school, "TCH1001", headers=at("198.51.100.2"))).status == 200
        from_there = at("203.0.113.7") | {"Cookie": device.partition(";")[0]}
        assert (await log_in(school, "TCH1001", headers=from_there)).status == 200
        school.clock.turn(13)
        assert (await log_in(school, teacher.code, "guess", headers=at("203.0.113.7"))).status == 401


def at(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}
