"""/metrics on both engines: everything of the catalogue is told, nothing else, and the manual is true."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from lms.operation.catalogue import CATALOGUE, PREFIX, table
from lms.operation.readings import READ_AGAIN_S
from lms.schedule.tables import scheduled_job
from tests.support.lms import School

MANUAL = Path(__file__).parent.parent.parent.parent.parent / "lms" / "metrics.md"
WITHOUT_COUNTS_YET = {"rate_limited_total", "job_runs_total"}
"""Told once there is one."""
OF_A_MEDIA_SERVER = {"feed_failures", "feed_pages_total", "feed_begun_anew_total"}
OF_REDIS = {"shared_limits_failures_total"}


async def scrape(school: School) -> dict[str, float]:
    answer = await school.get("/metrics")
    assert answer.status == 200
    return {
        sample.name + "".join(f"|{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


async def test_everything_of_the_catalogue_is_told(school: School) -> None:
    await school.parts.relay.close()
    await school.parts.schedule.close()
    await school.post("/auth/login", {"login": "nobody", "password": "x", "organization": "al-noor"})
    async with school.database.write(school.org_id) as transaction:
        await school.parts.outbox.send(transaction, "mail.link", key="k", payload={"link_id": str(school.org_id)})
    school.clock.turn(90)
    async with school.database.write_all() as transaction:
        failing = update(scheduled_job).where(scheduled_job.c.name == "outbox.forget").values(attempts=3)
        await transaction.execute(failing)
    told = await scrape(school)
    names = {re.sub(r"_(bucket|sum|count)$", "", name.split("|")[0]) for name in told if name.startswith(PREFIX)}
    missing = {f"{PREFIX}{name}" for name in CATALOGUE} - names
    assert {name.removeprefix(PREFIX) for name in missing} <= WITHOUT_COUNTS_YET | OF_A_MEDIA_SERVER | OF_REDIS
    assert {name.removeprefix(PREFIX) for name in names} <= set(CATALOGUE)
    assert told[f"{PREFIX}outbox_waiting"] == 1
    assert told[f"{PREFIX}outbox_oldest_waiting_seconds"] == 90
    assert told[f"{PREFIX}job_failures|outbox.forget"] == 3
    assert told[f"{PREFIX}database_connections_max"] > 0
    assert 0 < told[f"{PREFIX}disk_used_ratio"] < 1
    school.clock.turn(timedelta(seconds=READ_AGAIN_S))
    await school.parts.relay.run_once()
    assert (await scrape(school))[f"{PREFIX}outbox_waiting"] == 0


def test_the_manual_has_the_whole_catalogue_and_asks_for_nothing_else() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    assert text.endswith(f"\n\n{table()}\n"), "python -m lms.operation.catalogue prints it anew"
    asked = set(re.findall(rf"{PREFIX}(\w+)", text.partition("## All of them")[0]))
    assert {re.sub(r"_bucket$", "", name) for name in asked} - {""} <= set(CATALOGUE)
