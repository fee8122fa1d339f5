"""Requests are read strictly, and what is wrong is told with its place, its value and what was expected."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_api.contract import ChangePermissions, CreateRoom, CreateToken, EventQuery, ParticipantQuery, SendMessage
from control_api.rest.problems import ProblemError
from control_api.rest.read import DEPTH_MAX, VALUE_CHARACTERS_MAX, deeper_than, read_body, read_texts
from control_api.rest.serve import refuse

WRONG: list[tuple[bytes, type[Any], str | None, Any, str]] = [
    (b'{"limits": {"waiting_max": -1}}', CreateRoom, "limits.waiting_max", -1, "a whole number >= 0"),
    (b'{"limits": {"waiting_max": 1.5}}', CreateRoom, "limits.waiting_max", 1.5, "a whole number"),
    (b'{"limits": {"waiting_max": true}}', CreateRoom, "limits.waiting_max", True, "a whole number"),
    (b'{"limits": []}', CreateRoom, "limits", [], "an object"),
    (b'{"door": 7}', CreateRoom, "door", 7, "text"),
    (b'{"door": "ajar"}', CreateRoom, "door", "ajar", "one of open, waiting, locked"),
    (b'{"name": ""}', CreateRoom, "name", "", "text of length >= 1"),
    (b'{"metadata": {"a": 1}, "metdata": {}}', CreateRoom, "metdata", {}, "no such field"),
    (b'{"limits": {"x": [1]}}', CreateRoom, "limits.x", "[…]", "no such field"),
    (b'{"room": "a"}', CreateToken, "identity", None, "a value"),
    (b'{"publish": ["camera", "nose"]}', ChangePermissions, "publish[1]", "nose", "one of camera, microphone"),
    (b'{"send": "yes"}', ChangePermissions, "send", "yes", "true or false or null"),
    (
        b'{"room": "a", "identity": "b", "audience": {"camera": ["x"]}}',
        CreateToken,
        "audience.camera[0]",
        "x",
        "one of",
    ),
    (b"[]", CreateRoom, None, [], "an object"),
    (
        b'{"body": 1, "participants": ["' + b"a" * 200 + b'"]}',
        SendMessage,
        "participants[0]",
        "a" * 100 + "…",
        "text of",
    ),
]


@pytest.mark.parametrize(("body", "shape", "field", "value", "expected"), WRONG)
def test_fault_is_told_with_its_place(
    body: bytes, shape: type[Any], field: str | None, value: Any, expected: str
) -> None:
    with pytest.raises(ProblemError) as refused:
        read_body(body, shape)
    error = refused.value
    assert (error.problem.code, error.field, error.value) == ("bad_field", field, value)
    assert str(error.expected).startswith(expected)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nan", b"\xef\xbb\xbf{}", b'{"a": "\xff"}', b'"\\ud800"', b"[" * 5000, b"[" * 30 + b"]" * 30]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        read_body(body, CreateRoom)
    assert refused.value.problem.code == "bad_json"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for shape in (CreateRoom, SendMessage, CreateToken):
        try:
            read_body(body, shape)
        except ProblemError as error:
            assert refuse(error).status == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["name", "door", "limits", "metadata", "body", "room"]), json_values))
def test_any_json_is_read_or_refused(value: Any) -> None:
    body = msgspec.json.encode(value)
    for shape in (CreateRoom, SendMessage, CreateToken):
        try:
            read_body(body, shape)
        except ProblemError as error:
            assert refuse(error).status == 400


def test_whole_numbers_may_have_a_point() -> None:
    room = read_body(b'{"limits": {"waiting_max": 7.0, "participants_max": 8.0}, "metadata": {"a": 1.0}}', CreateRoom)
    assert (room.limits.waiting_max, room.limits.participants_max) == (7, 8)
    assert isinstance(room.metadata["a"], float)


def test_texts_of_a_query_stand_for_values() -> None:
    query = read_texts([("limit", "7"), ("wait_s", "0"), ("after", "now")], EventQuery)
    assert (query.limit, query.wait_s, query.after) == (7, 0, "now")
    assert read_texts([], EventQuery).after is None


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([("limit", "")], "limit"),
        ([("limit", "seven")], "limit"),
        ([("limit", "٣")], "limit"),
        ([("limit", "1"), ("limit", "1")], "limit"),
        ([("presence", "null")], "presence"),
        ([("presence", "gone")], "presence"),
        ([("colour", "red")], "colour"),
        ([("after", "12-")], "after"),
        ([("identity", "\udcff" * 200)], "identity"),
    ],
)
def test_wrong_texts_of_a_query(pairs: list[tuple[str, str]], field: str) -> None:
    with pytest.raises(ProblemError) as refused:
        read_texts(pairs, ParticipantQuery)
    assert (refused.value.problem.code, refused.value.field) == ("bad_field", field)
    assert refuse(refused.value).status == 400


def test_depth_is_counted_without_recursion() -> None:
    value: Any = 0
    for _ in range(DEPTH_MAX):
        value = [value]
    assert not deeper_than(value, DEPTH_MAX)
    assert deeper_than([value], DEPTH_MAX)
    for _ in range(100_000):
        value = {"a": value}
    assert deeper_than(value, DEPTH_MAX)
    while isinstance(value, dict):  # taken apart from outside: freeing it at once would be deep, too
        value = value["a"]


def test_long_values_are_not_told_back() -> None:
    with pytest.raises(ProblemError) as refused:
        read_body(msgspec.json.encode({"door": "x" * 10_000}), CreateRoom)
    assert len(refused.value.value) == VALUE_CHARACTERS_MAX + 1
    assert len(refused.value.message) < 300
