"""A request that is repeated with its Idempotency-Key is done once."""

from __future__ import annotations

import asyncio

import pytest

from control_api.rest import idempotency
from control_api.rest.endpoint import Result
from control_api.rest.idempotency import KEPT_S, Repetitions
from control_api.rest.problems import Problem, ProblemError


class Work:
    """Counts how often it is done."""

    def __init__(self) -> None:
        self.done = 0
        self.fails = False

    async def __call__(self) -> Result:
        self.done += 1
        if self.fails:
            raise ProblemError(Problem.CONFLICT)
        return Result(status=200 + self.done)


async def test_repetition_gets_the_first_answer() -> None:
    repetitions, work = Repetitions(lambda: 0.0), Work()
    for _ in range(3):
        assert (await repetitions.once("key", "a", b"request", work)).status == 201
    assert (await repetitions.once("key", "b", b"request", work)).status == 202
    assert (await repetitions.once("other key", "a", b"request", work)).status == 203


async def test_another_request_with_the_same_key_is_refused() -> None:
    repetitions, work = Repetitions(lambda: 0.0), Work()
    await repetitions.once("key", "a", b"request", work)
    with pytest.raises(ProblemError) as refused:
        await repetitions.once("key", "a", b"another", work)
    assert refused.value.problem is Problem.KEY_REUSED


async def test_what_was_refused_may_be_tried_again() -> None:
    repetitions, work = Repetitions(lambda: 0.0), Work()
    work.fails = True
    with pytest.raises(ProblemError):
        await repetitions.once("key", "a", b"request", work)
    work.fails = False
    assert (await repetitions.once("key", "a", b"request", work)).status == 202


async def test_repetition_while_the_first_is_under_way() -> None:
    repetitions, release = Repetitions(lambda: 0.0), asyncio.Event()

    async def slow() -> Result:
        await release.wait()
        return Result()

    first = asyncio.create_task(repetitions.once("key", "a", b"request", slow))
    await asyncio.sleep(0)
    with pytest.raises(ProblemError) as refused:
        await repetitions.once("key", "a", b"request", slow)
    assert refused.value.problem is Problem.IN_PROGRESS
    release.set()
    await first


async def test_answers_are_forgotten_after_a_day_and_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    repetitions, work = Repetitions(lambda: now), Work()
    await repetitions.once("key", "a", b"request", work)
    now = KEPT_S
    assert (await repetitions.once("key", "a", b"request", work)).status == 202
    monkeypatch.setattr(idempotency, "KEPT_MAX", 2)
    await repetitions.once("key", "b", b"request", work)
    await repetitions.once("key", "c", b"request", work)
    assert (await repetitions.once("key", "a", b"request", work)).status == 205


@pytest.mark.parametrize("text", ["", "a b", "é", "a" * 129, "\n"])
async def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ProblemError) as refused:
        await Repetitions().once("key", text, b"", Work())
    assert refused.value.problem is Problem.BAD_FIELD
