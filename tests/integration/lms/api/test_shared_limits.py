"""Rate limits of several processes in one real Valkey: counted together, and alone while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from lms.access.settings import TokenSettings
from lms.api import shared_limits
from lms.api.limits_settings import LimitsSettings
from lms.api.rate_limits import RateLimits, RateLimitSettings
from lms.api.shared_limits import SharedLimits
from lms.database.settings import DatabaseSettings
from lms.errors import SettingsError
from lms.service import LmsService
from lms.settings import HttpSettings, LmsSettings
from tests.support.lms import running_school
from tests.support.valkey import Valkey, running_valkey

FIVE = RateLimitSettings(api_per_minute=5, organization_per_minute=8)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running_valkey() as server:
        yield server


@pytest.fixture
async def two(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[SharedLimits]]:
    """Two processes' limits, as patient as a busy machine needs."""
    monkeypatch.setattr(shared_limits, "TIMEOUT_S", 10.0)
    both = [SharedLimits(valkey.url, RateLimits(FIVE)) for _ in range(2)]
    yield both
    for each in both:
        await each.close()


async def test_two_processes_count_together(two: list[SharedLimits]) -> None:
    """Ten at once at either of two processes: five are let through, whoever asked whom."""
    answers = await asyncio.gather(*(two[turn % 2].take_all([("api", "Muna")], now=0.0) for turn in range(10)))
    refused = [each for each in answers if each is not None]
    assert len(refused) == 5
    assert {each.name for each in refused} == {"api"}
    assert all(1 <= each.wait_s <= 12 for each in refused)
    assert two[0].refused.get("api", 0) + two[1].refused.get("api", 0) == 5
    assert await two[0].take_all([("api", "Huda")], now=0.0) is None  # somebody else


async def test_the_first_limit_that_is_full_is_named(two: list[SharedLimits]) -> None:
    for turn in range(8):
        asked = [("organization", "school"), ("api", f"person {turn}")]
        assert await two[turn % 2].take_all(asked, now=0.0) is None
    answer = await two[0].take_all([("organization", "school"), ("api", "person 9")], now=0.0)
    assert answer is not None
    assert answer.name == "organization"


async def test_while_it_is_away_each_counts_alone(two: list[SharedLimits], valkey: Valkey) -> None:
    valkey.kill()
    try:
        answers = [await two[0].take_all([("api", "Nora")], now=0.0) for _ in range(6)]
        assert [each is None for each in answers] == [True] * 5 + [False]
        assert await two[1].take_all([("api", "Nora")], now=0.0) is None
        assert two[0].failures >= 1
    finally:
        valkey.start_again()
    two[0]._away_until = 0.0
    assert await two[0].take_all([("api", "Nora")], now=0.0) is None
    assert await two[1].take_all([("api", "Sami")], now=0.0) is None


@pytest.mark.parametrize("database_settings", ["postgresql"], indirect=True)
async def test_two_services_over_http(
    database_settings: DatabaseSettings, tmp_path: Path, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one service let through, the other counts, too."""
    monkeypatch.setattr(shared_limits, "TIMEOUT_S", 10.0)
    settings: dict[str, Any] = {
        "rate_limits": RateLimitSettings(api_per_minute=7),
        "limits": LimitsSettings(redis=valkey.url),
        "tokens": TokenSettings(secrets=("x" * 40,)),
    }
    async with running_school(tmp_path / "1", database_settings, **settings) as school:
        chosen = LmsSettings(data=tmp_path / "2", database=database_settings, http=HttpSettings(port=0), **settings)
        second = await LmsService.start(chosen, clock=school.clock)
        try:
            bearer = {"Authorization": f"Bearer {school.student.token}"}
            statuses = []
            for turn in range(9):
                url = (school.url, second.url)[turn % 2]
                async with school.http.get(f"{url}/api/v1/auth/me", headers=bearer) as answer:
                    statuses.append(answer.status)
            assert statuses == [200] * 7 + [429] * 2
        finally:
            await second.close()


def test_what_is_no_address() -> None:
    with pytest.raises(SettingsError, match=r"limits\.redis"):
        LimitsSettings(redis="http://127.0.0.1")
