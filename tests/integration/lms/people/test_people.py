"""Accounts over HTTP: making, finding in both scripts, changing by version, roles within one's rank, guardians."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from pathlib import Path
from typing import Any

from lms.access.roles import Role
from tests.support.lms import School


async def test_codes_follow_roles(school: School) -> None:
    made = [
        (await school.post("/users", {"name": name, "roles": roles}, as_=school.admin)).data["code"]
        for name, roles in (("A", ["teacher"]), ("B", ["teacher", "student"]), ("C", ["student"]), ("D", []))
    ]
    assert made == ["TCH1001", "TCH1002", "STU1001", "USR1001"]


async def test_parallel_accounts_get_codes_of_their_own(school: School) -> None:
    answers = await asyncio.gather(*(school.post("/users", {"name": f"S{n}"}, as_=school.admin) for n in range(12)))
    assert len({each.data["code"] for each in answers}) == 12


async def test_names_are_found_however_they_are_spelled(school: School) -> None:
    for name in ("أحمد الحربي", "إيمان", "Zoë Müller", "فاطمة"):
        await school.post("/users", {"name": name}, as_=school.admin)
    for search, name in (("احمد", "أحمد الحربي"), ("ايمان", "إيمان"), ("zoe mul", "Zoë Müller"), ("فاطمه", "فاطمة")):
        found = (await school.get("/users", as_=school.admin, search=search)).data
        assert [each["name"] for each in found] == [name]
    assert (await school.get("/users", as_=school.admin, search="100%_")).data == []


async def test_pages_tell_everybody_once_in_the_order_of_names(school: School) -> None:
    for number in range(15):
        await school.person(Role.STUDENT, name=f"{'بتا'[number % 3]} {number:02}")
    names: list[str] = []
    cursor = None
    while True:
        page = await school.get("/users", as_=school.admin, limit=4, cursor=cursor, role="student")
        names += [each["name"] for each in page.data]
        cursor = page.meta.get("next")
        if cursor is None:
            break
    assert len(names) == len(set(names)) == 16
    arabic = [name for name in names if name[0] in "ابت"]
    assert arabic == sorted(arabic)
    broken = await school.get("/users", as_=school.admin, cursor="bm90IGEgY3Vyc29y")
    assert (broken.status, broken.code) == (400, "bad_cursor")


async def test_changes_name_their_version(school: School) -> None:
    user = (await school.post("/users", {"name": "Muna", "email": "a@b.example"}, as_=school.admin)).data
    path = f"/users/{user['id']}"
    assert (await school.patch(path, {"name": "M"}, as_=school.admin)).code == "version_required"
    changed = await school.patch(path, {"name": "M", "email": None}, as_=school.admin, version=1)
    assert (changed.data["name"], changed.data["email"], changed.headers["ETag"]) == ("M", None, '"2"')
    late = await school.patch(path, {"name": "N"}, as_=school.admin, version=1)
    assert (late.status, late.code, late.error["details"]["more"]) == (409, "version_conflict", {"current": 2})


async def test_taken_is_told_with_field_and_value(school: School) -> None:
    body = {"name": "A", "code": "x-1", "email": "One@Example.org"}
    assert (await school.post("/users", body, as_=school.admin)).status == 201
    again = await school.post("/users", {"name": "B", "email": "one@example.ORG"}, as_=school.admin, language="ar")
    assert (again.status, again.code) == (409, "already_taken")
    assert again.error["details"] == {"field": "email", "value": "one@example.ORG", "rule": "unique"}
    assert "مستخدمة" in again.error["message"]
    elsewhere = await school.other.post("/users", body, as_=school.other.admin)
    assert elsewhere.status == 201


async def test_bad_fields_name_field_value_and_rule(school: School) -> None:
    cases: list[tuple[Any, str, str]] = [
        ({}, "name", "required"),
        ({"name": "x", "nick": 1}, "nick", "unknown"),
        ({"name": 7}, "name", "type"),
        ({"name": " "}, "name", "pattern"),
        ({"name": "x" * 201}, "name", "length"),
        ({"name": "x", "roles": ["king"]}, "roles[0]", "choice"),
        ({"name": "a\u0000b"}, "name", "pattern"),
        ({"name": "x", "time_zone": "Mars/Base"}, "time_zone", "choice"),
    ]
    for body, field, rule in cases:
        for language in ("en", "ar"):
            answer = await school.post("/users", body, as_=school.admin, language=language)
            details = answer.error["details"]
            assert (answer.status, details["field"], details["rule"]) == (400, field, rule), body
            assert field in answer.error["message"]


async def test_idempotency(school: School) -> None:
    first = await school.post("/users", {"name": "A"}, as_=school.admin, key="k1")
    again = await school.post("/users", {"name": "A"}, as_=school.admin, key="k1")
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await school.post("/users", {"name": "B"}, as_=school.admin, key="k1")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    together = await asyncio.gather(
        *(school.post("/users", {"name": "C"}, as_=school.admin, key="k2") for _ in range(5))
    )
    assert len({each.data["id"] for each in together}) == 1
    refused = await school.post("/users", {"name": "D", "code": first.data["code"]}, as_=school.admin, key="k3")
    assert refused.status == 409
    assert (await school.post("/users", {"name": "D"}, as_=school.admin, key="k3")).status == 201


async def test_nobody_gives_roles_above_their_own(school: School) -> None:
    target = await school.person(Role.STUDENT)
    path = f"/users/{target.id}/roles"
    for giver, role, allowed in (
        (school.manager, "teacher", True),
        (school.manager, "manager", False),
        (school.manager, "owner", False),
        (school.admin, "admin", True),
        (school.admin, "owner", False),
        (school.owner, "owner", True),
    ):
        answer = await school.put(path, {"roles": [role]}, as_=giver)
        assert (answer.status == 200) == allowed, (giver.roles, role)
        await school.put(path, {"roles": ["student"]}, as_=school.owner)
    last = await school.put(f"/users/{school.owner.id}/roles", {"roles": []}, as_=school.owner)
    assert (last.status, last.code) == (409, "last_owner")
    assert (await school.delete(f"/users/{school.owner.id}", as_=school.admin)).status == 403


async def test_roles_count_at_once(school: School) -> None:
    person = await school.person(Role.STUDENT)
    assert (await school.get("/users", as_=person)).status == 403
    await school.put(f"/users/{person.id}/roles", {"roles": ["manager"]}, as_=school.owner)
    assert (await school.get("/users", as_=person)).status == 200
    await school.delete(f"/users/{person.id}", as_=school.owner)
    assert (await school.get("/users", as_=person)).status == 401


async def test_guardians(school: School) -> None:
    parent, child = await school.person(Role.OBSERVER, name="Parent"), await school.person(Role.STUDENT, name="Child")
    path = f"/users/{child.id}/guardians"
    assert (await school.put(f"{path}/{parent.id}", as_=school.admin)).status == 204
    assert (await school.put(f"{path}/{parent.id}", as_=school.admin)).status == 204
    assert [each["name"] for each in (await school.get(path, as_=school.admin)).data] == ["Parent"]
    assert [each["name"] for each in (await school.get("/auth/me/children", as_=parent)).data] == ["Child"]
    assert (await school.put(f"{path}/{school.teacher.id}", as_=school.admin)).code == "conflict"
    assert (await school.put(f"{path}/{school.other.student.id}", as_=school.admin)).code == "not_found"
    assert (await school.delete(f"{path}/{parent.id}", as_=school.admin)).status == 204
    assert (await school.delete(f"{path}/{parent.id}", as_=school.admin)).status == 404


async def test_an_invitation_becomes_a_login(school: School, tmp_path: Path) -> None:
    body = {"name": "منى\r\nBcc: x@evil.example", "email": "muna@example.org", "language": "ar", "invite": True}
    refused = await school.post("/users", body, as_=school.admin)
    assert refused.status == 400
    code = (await school.post("/users", body | {"name": "منى"}, as_=school.admin)).data["code"]
    token = await mailed_token(school, tmp_path, "حسابك")
    too_short = await school.post("/auth/reset-password", {"token": token, "password": "short"}, language="ar")
    assert (too_short.status, too_short.code) == (422, "password_too_short")
    for bad, why in (("123456789012", "common"), ("muna@example.org", "personal"), ("aaaaaaaaaaaaaa", "common")):
        answer = await school.post("/auth/reset-password", {"token": token, "password": bad})
        assert answer.error["details"]["rule"] == why
    good = {"token": token, "password": "four words are enough"}
    assert (await school.post("/auth/reset-password", good)).status == 204
    assert (await school.post("/auth/reset-password", good)).code == "bad_link"
    login = {"login": code, "password": "four words are enough", "organization": "al-noor"}
    me = (await school.post("/auth/login", login)).data["me"]
    assert me["email_verified"]


async def test_a_forgotten_password_is_reset_and_old_ones_are_not_taken(school: School, tmp_path: Path) -> None:
    old = "the first of my passwords"
    person = await school.person(
        Role.TEACHER,
        email="t@example.org",
        email_norm="t@example.org",
        password_hash=await school.parts.passwords.hash(old),
    )
    for login in (person.code, "nobody@example.org"):
        answer = await school.post("/auth/forgot-password", {"login": login, "organization": "al-noor"})
        assert (answer.status, answer.content) == (202, b"")
    token = await mailed_token(school, tmp_path, "a new password")
    new = "the second of my passwords"
    assert (await school.post("/auth/reset-password", {"token": token, "password": new})).status == 204
    assert (await school.get("/auth/me", as_=person)).status == 401
    tokens = (await school.post("/auth/login", {"login": person.code, "password": new, "organization": "al-noor"})).data
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    same = await school.post("/auth/password", {"present": new, "password": new}, headers=bearer)
    assert same.code == "password_used_before"
    wrong = await school.post("/auth/password", {"present": "no", "password": "a third one of them"}, headers=bearer)
    assert wrong.code == "wrong_password"
    third = {"present": new, "password": "a third one of them"}
    assert (await school.post("/auth/password", third, headers=bearer)).status == 204
    assert (await school.get("/auth/me", headers=bearer)).status == 401


async def mailed_token(school: School, folder: Path, subject: str) -> str:
    """Return the token of the link in the mail with this subject, once it is there."""
    async with asyncio.timeout(10):
        while True:
            for path in (folder / "mails").glob("*.eml"):
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                if subject in str(mail["Subject"]) and (found := re.search(r"#token=(\S+)", mail.get_content())):
                    return found[1]
            await asyncio.sleep(0.02)
