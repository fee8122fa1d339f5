"""The OpenAPI document says what endpoints and structs say: meanings, limits, refusals; the page shows all of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from control_api.contract import Scope
from control_api.contract.rooms import Room
from control_api.contract.shapes import PageQuery, Request, RoomText
from control_api.rest.descriptions import describe_class, describe_fields
from control_api.rest.elsewhere import ELSEWHERE
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.openapi import build_document
from control_api.rest.page import build_page
from control_api.rest.problems import Problem


class Path(Request, frozen=True, kw_only=True):
    room: RoomText
    """Which <one>."""


class Body(Request, frozen=True, kw_only=True):
    """A body.

    With a second paragraph & a `code`.
    """

    scope: Scope
    count: int = 3
    """How many."""


async def run(_call: Call[Path, PageQuery, Body]) -> Result:
    return Result()


ENDPOINT: AnyEndpoint = Endpoint(
    operation="do_it",
    method="POST",
    path="/v1/rooms/{room}/things",
    summary="Do it",
    description="At once.\n\n* first\n* second",
    tag="Things",
    scope=Scope.ROOMS_WRITE,
    parameters=Path,
    query=PageQuery,
    body=Body,
    answers={201: Reply("Done.", Room, headers={"Location": "Where."}), 204: Reply("Nothing to do.")},
    problems=(Problem.CONFLICT,),
    idempotency_key=True,
    run=run,
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    tags = [("Things", "What there is."), ("For clients", ""), ("For operators", ""), ("Events", "")]
    return build_document((ENDPOINT, *ELSEWHERE), title="Test", version="1", description="About.", tags=tags)


def test_operation_has_everything(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/rooms/{room}/things"]["post"]
    parameters = {(each["in"], each["name"]): each for each in operation["parameters"]}
    assert parameters.keys() == {
        ("path", "room"),
        ("query", "limit"),
        ("query", "after"),
        ("header", "Idempotency-Key"),
    }
    assert parameters["path", "room"]["required"]
    assert parameters["path", "room"]["schema"]["maxLength"] == 128
    assert parameters["query", "after"]["schema"]["type"] == "string"  # no null in a URL
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Body"}
    assert {"201", "204", "400", "401", "403", "409", "413", "415", "422", "429"} <= operation["responses"].keys()
    assert "`conflict`" in operation["responses"]["409"]["description"]
    assert "`rooms:write`" in operation["description"]
    assert operation["responses"]["201"]["headers"]["Location"]["description"] == "Where."


def test_strings_below_fields_become_descriptions(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Body"]["properties"]["count"]["description"] == "How many."
    assert schemas["Body"]["additionalProperties"] is False
    assert "* `rooms:write`: Create, change and end rooms." in schemas["Scope"]["description"]
    assert "Path" not in schemas  # it stands in the operation
    assert describe_fields(Body) == {"count": "How many."}
    assert describe_class(Body).splitlines()[-1] == "With a second paragraph & a `code`."


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = str(document)
    for name in re.findall(r"#/components/schemas/([\w.]+)", text):
        assert name in document["components"]["schemas"]


def test_same_name_of_two_structs_is_noticed() -> None:
    class Body(Request, frozen=True, kw_only=True):
        other: int = 0

    twin: AnyEndpoint = Endpoint(
        operation="twin", method="PUT", path="/v1/twin", summary="", tag="", scope=None, body=Body, answers={}
    )
    with pytest.raises(AssertionError, match="same name"):
        build_document((ENDPOINT, twin), title="", version="", description="", tags=())


def test_page_shows_all_and_escapes(document: dict[str, Any]) -> None:
    page = build_page(document)
    assert "Which &lt;one&gt;." in page
    assert "paragraph &amp; a <code>code</code>" in page
    assert "<li>first" in page
    for methods in document["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
    for link in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{link}"' in page
    assert len(re.findall(r"<h1", page)) == 1
    assert "<script" not in page
    assert page.count("<table>") == page.count("<caption>")


def test_elsewhere_is_described_and_not_mounted() -> None:
    assert all(endpoint.run is None for endpoint in ELSEWHERE)
    assert Nothing() == Nothing()
