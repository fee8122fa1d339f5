"""The service around the modules: health, the envelope, refusals, headers, the document."""

from __future__ import annotations

from tests.support.lms import School


async def test_health(school: School) -> None:
    answer = await school.get("/health")
    assert (answer.status, answer.data) == (200, {"status": "ok"})
    assert answer.headers["X-Request-Id"] == answer.meta["request_id"]
    ready = await school.get("/ready")
    assert ready.data["status"] == "ready"


async def test_document(school: School) -> None:
    document = await school.get("/api/v1/openapi.json")
    assert document.body["openapi"] == "3.1.0"
    assert (await school.get("/docs/api")).status == 200


async def test_unknown_address(school: School) -> None:
    answer = await school.get("/nothing", language="ar")
    assert (answer.status, answer.code) == (404, "not_found")
    assert "غير موجود" in answer.error["message"]
