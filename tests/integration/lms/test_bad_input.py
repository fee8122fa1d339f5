"""What nobody should send: 10 MB, deep JSON, broken UTF-8, fields of other types. It is refused, nothing is written.

Hostile texts have a file of their own, beside this.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any, Final, get_args, get_origin
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from lms.api.endpoint import JSON, AnyEndpoint
from lms.application import endpoints_of
from lms.database.draft import import_tables
from lms.database.tables import METADATA
from tests.support.lms import Answer, School

HUGE: Final = 10_000_000
PIECE: Final = 1 << 16
DEEP: Final = b'{"a":' * 5000 + b"1" + b"}" * 5000
NOT_UTF8: Final = b'{"name": "\xff\xfe\xc3\x28"}'
NO_ID: Final = UUID(int=7)

import_tables()


def with_json(school: School) -> list[AnyEndpoint]:
    return [each for each in endpoints_of(school.parts) if each.body is not None and each.body_media_type == JSON]


def path_of(endpoint: AnyEndpoint) -> str:
    return re.sub(r"[{]\w+[}]", str(NO_ID), endpoint.path)


async def send(school: School, endpoint: AnyEndpoint, content: bytes, kind: str = JSON) -> Answer:
    return await school.request(
        endpoint.method, path_of(endpoint), content=content, content_type=kind, as_=school.owner, version=1
    )


async def count_rows(school: School) -> dict[str, int]:
    """Return how many rows there are, but for what is noted of everybody who asks."""
    counts = {}
    async with school.database.read_all() as transaction:
        for table in METADATA.tables.values():
            if table.name not in {"audit_log", "audit_head"}:
                counts[table.name] = await transaction.value(select(func.count()).select_from(table))
    return counts


async def test_no_body_that_is_none_does_anything(school: School) -> None:
    """Each endpoint that takes JSON refuses what is none, in the one shape of refusals."""
    before, wrong = await count_rows(school), []
    for endpoint in with_json(school):
        for content, code in ((DEEP, "bad_json"), (NOT_UTF8, "bad_json"), (b"", "bad_json"), (b"[1,", "bad_json")):
            answer = await send(school, endpoint, content)
            if (answer.status, answer.code) != (400, code):
                wrong.append(f"{endpoint.operation}: {answer.status} {answer.code} to {content[:20]!r}")
        answer = await send(school, endpoint, b"{}", "application/xml")
        if (answer.status, answer.code) != (415, "wrong_content_type"):
            wrong.append(f"{endpoint.operation}: {answer.status} {answer.code} to XML")
    assert not wrong
    assert await count_rows(school) == before


async def test_what_is_not_packed_as_it_says_is_refused(school: School) -> None:
    endpoint = with_json(school)[0]
    for packing, content in (("gzip", b'{"title": "Algebra"}'), ("deflate", b"\xff\xff")):
        answer = await school.request(
            endpoint.method, path_of(endpoint), content=content, content_type=JSON, as_=school.owner,
            headers={"Content-Encoding": packing},
        )  # fmt: skip
        assert (answer.status, answer.code) == (400, "broken_body")
        assert answer.error["details"]["field"] == "Content-Encoding"


async def test_ten_megabytes_are_refused_before_they_are_read(school: School) -> None:
    """By every endpoint that takes a body, in the one shape of refusals."""
    before, wrong = await count_rows(school), []
    for endpoint in endpoints_of(school.parts):
        if not endpoint.takes_body:
            continue
        sent, answer = await send_ten_megabytes(school, endpoint)
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 413 "):
            wrong.append(f"{endpoint.operation}: {answer[:300]!r}")
            continue
        error = msgspec.json.decode(body)["error"]
        if (error["code"], error["details"]["rule"]) != ("too_large", "length"):
            wrong.append(f"{endpoint.operation}: {error}")
        if sent >= HUGE:
            wrong.append(f"{endpoint.operation} read all of it")
    assert not wrong, "\n".join(wrong)
    assert await count_rows(school) == before


async def send_ten_megabytes(school: School, endpoint: AnyEndpoint) -> tuple[int, bytes]:
    """Send until there is an answer; return how many bytes were sent, and the answer."""
    host, _, port = school.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    answer = asyncio.create_task(reader.read(PIECE))
    sent = 0
    try:
        head = f"{endpoint.method} {path_of(endpoint)} HTTP/1.1\r\nHost: {host}\r\n"
        head += f"Authorization: Bearer {school.owner.token}\r\nContent-Type: {endpoint.body_media_type}\r\n"
        writer.write(f"{head}Content-Length: {HUGE}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            while sent < HUGE and not answer.done():
                writer.write(b"x" * min(PIECE, HUGE - sent))
                sent += PIECE
                await writer.drain()
                await asyncio.sleep(0)
        return sent, await asyncio.wait_for(answer, 20)
    finally:
        answer.cancel()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_every_refusal_names_field_value_and_rule(school: School) -> None:
    """For every field of every body: another type than it should have is refused by name."""
    wrong = []
    for endpoint in with_json(school):
        unknown = await send(school, endpoint, b'{"no such field": 1}')
        details = unknown.error["details"]
        if (unknown.code, details.get("field"), details.get("rule")) != ("bad_field", "no such field", "unknown"):
            wrong.append(f"{endpoint.operation}: {unknown.error}")
        assert endpoint.body is not None
        for field in msgspec.structs.fields(endpoint.body):
            value = {"": [{"surely": "wrong"}]}
            answer = await send(school, endpoint, msgspec.json.encode({field.encode_name: value}))
            if answer.status == 400 and answer.code == "bad_field":
                details = answer.error["details"]
                if not (details.get("field") and details.get("rule")):
                    wrong.append(f"{endpoint.operation}.{field.name}: {answer.error}")
            elif answer.status != 404 and not _takes_anything(field.type):
                wrong.append(f"{endpoint.operation}.{field.name}: {answer.status} {answer.code}")
    assert not wrong


def _takes_anything(kind: Any) -> bool:
    """Return whether a field is free JSON: there is no wrong value."""
    return kind is Any or get_origin(kind) is dict or any(_takes_anything(each) for each in get_args(kind))


async def test_a_file_that_is_half_wrong_writes_nothing(school: School) -> None:
    before = await count_rows(school)
    lines = "name,roles\nMuna,student\n,student\nZaid,emperor\n"
    answer = await school.post("/users/import", content=lines.encode(), content_type="text/csv", as_=school.owner)
    assert answer.status in {200, 400, 422}, answer.body
    assert await count_rows(school) == before
    broken = await school.post(
        "/users/import", content=b"name\n\xff\xfe\xfa", content_type="text/csv", as_=school.owner
    )
    assert broken.status in {400, 422}, broken.body
    assert await count_rows(school) == before
