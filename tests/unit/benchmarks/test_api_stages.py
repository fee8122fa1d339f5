"""Stages of the API load: what is read, what is refused, and how many users there are at which moment."""

from __future__ import annotations

import pytest

from benchmarks.api.stages import USUAL, Stage, format_stages, parse_stages, plateaus, scaled, total_s, users_at


def test_the_requirements_stages() -> None:
    text = "2m:100,5m:100,2m:200,5m:200,2m:300,5m:300,2m:400,5m:400,10m:0"
    assert parse_stages(text) == USUAL
    assert format_stages(USUAL) == text
    assert total_s(USUAL) == 38 * 60
    assert total_s(scaled(USUAL, 0.05)) == pytest.approx(114)


@pytest.mark.parametrize(
    ("text", "stage"),
    [("30:5", Stage(30, 5)), ("30s:5", Stage(30, 5)), ("0.5m:5", Stage(30, 5)), ("1h:5", Stage(3600, 5))],
)
def test_times(text: str, stage: Stage) -> None:
    assert parse_stages(text) == (stage,)
    assert parse_stages(format_stages((stage,))) == (stage,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "stage '': expected TIME:USERS"),
        ("2m", "stage '2m': expected TIME:USERS"),
        ("2m:100,", "stage '': expected TIME:USERS"),
        ("2d:100", "stage '2d:100': expected TIME:USERS"),
        ("2m:-1", "expected TIME:USERS"),
        ("0s:10", "takes 0 s, expected more than 0"),
        ("25h:10", "at most 86400"),
        ("1m:20001", "has 20001 users, expected at most 20000"),
        ("1m:0,2m:0", "never have a user"),
    ],
)
def test_what_is_no_stage(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        parse_stages(text)


@pytest.mark.parametrize(
    ("at_s", "users"),
    [(-1, 0), (0, 0), (0.01, 1), (5, 5), (9.99, 10), (10, 10), (19.9, 10), (20, 10), (25, 5), (29.99, 1), (30, 0)],
)
def test_users_on_the_way(at_s: float, users: int) -> None:
    assert users_at(parse_stages("10:10,10:10,10:0"), at_s) == users


def test_plateaus_are_where_nothing_changes() -> None:
    assert plateaus(parse_stages("10:10,20:10,5:0,7:0")) == [(10, 30, 10), (35, 42, 0)]
