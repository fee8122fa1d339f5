"""A server as its operator meets it: readiness, drain, metrics, logs, and a certificate that is renewed."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from control_api.app import MediaServer
from control_api.client import ControlClient
from control_api.contract.operation import DrainQuery
from control_api.keys import open_keys
from control_api.metrics.catalogue import CATALOGUE, PREFIX, table
from control_api.metrics.family import Kind
from control_api.settings import HttpSettings, MediaSettings, MetricsSettings, ServerSettings
from tests.integration.test_media_server import write_certificate
from tests.support.peer_school import School, open_school, until

MANUAL = Path(__file__).parent.parent.parent / "control_api" / "metrics.md"
ADDRESS = "127.0.0.1"


def settings(folder: Path) -> ServerSettings:
    media = MediaSettings(bind_address=ADDRESS, udp_port=0, workers=1)
    return ServerSettings(data=folder, http=HttpSettings(port=0), media=media)


@asynccontextmanager
async def running(chosen: ServerSettings) -> AsyncIterator[tuple[MediaServer, aiohttp.ClientSession]]:
    server = await MediaServer.start(chosen)
    try:
        async with aiohttp.ClientSession(server.url) as client:
            yield server, client
    finally:
        await server.close()


def operator(folder: Path) -> dict[str, str]:
    key = open_keys(folder).first
    return {"Authorization": aiohttp.encode_basic_auth(key.key_id, key.secret.decode())}


async def eventually(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


async def readiness(client: aiohttp.ClientSession) -> tuple[int, dict[str, Any]]:
    async with client.get("/readyz") as answer:
        return answer.status, await answer.json()


async def scrape(client: aiohttp.ClientSession, **options: Any) -> dict[str, float]:
    """Return all samples, as `name{label="value"}`."""
    async with client.get("/metrics", **options) as answer:
        assert answer.status == 200
        text = await answer.text()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def test_drain_is_for_keys_tells_readiness_and_ends(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as (server, client):
        assert await readiness(client) == (200, {"status": "ready", "because": []})
        async with client.post("/drain") as answer:
            assert answer.status == 401
        async with client.post("/drain", headers=operator(tmp_path), params={"timeout_s": "-1"}) as answer:
            assert answer.status == 400
        assert not server.parts.drain.active
        async with client.post("/drain", headers=operator(tmp_path), params={"timeout_s": "60"}) as answer:
            assert answer.status == 202
            state = await answer.json()
            assert (state["draining"], state["rooms"]) == (True, 0)
        status, ready = await readiness(client)
        assert (status, ready["because"]) == (503, ["draining"])
        async with asyncio.timeout(10):
            await server.parts.drain.ended.wait()


async def test_drain_lets_a_class_go_on_until_its_time(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        await school.join("teacher")
        drain = school.server.parts.drain
        drain.begin(60)
        await asyncio.sleep(0)
        assert (school.server.parts.signaling.rooms, drain.ended.is_set()) == (1, False)
        async with aiohttp.ClientSession(school.server.url) as client:
            control = ControlClient(school.server.url, school.key.key_id, school.key.secret.decode(), http=client)
            assert (await control.get_drain()).participants == 1
            later = await control.drain(DrainQuery(timeout_s=120))
            assert later.ends_at == drain.ends_at
            headers = {"Authorization": f"Bearer {school.token('other', 'geometry')}"}
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect("/v1/rooms/geometry/ws", headers=headers)
            assert refused.value.status == 503
        drain.begin(0)
        async with asyncio.timeout(10):
            await drain.ended.wait()


async def test_failing_journal_and_silent_worker_are_reasons(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    async with running(replace(chosen, health=replace(chosen.health, udp_check_s=0.3))) as (server, client):
        server.parts.journal.failure = "No space left on device"
        status, ready = await readiness(client)
        assert (status, ready["because"]) == (503, ["journal_failed"])
        server.parts.journal.failure = None
        assert (await readiness(client))[0] == 200
        shell = server.engine._shells[0]
        shell.worker.stop()
        await eventually(lambda: bool(server.parts.health.reasons()))
        assert (await scrape(client))['halqa_not_ready{reason="worker_silent"}'] == 1
        shell.worker.start()
        await eventually(lambda: not server.parts.health.reasons())


async def test_certificate_is_renewed_while_connections_go_on(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write_certificate(folder)
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"

    def install(folder: Path) -> None:
        shutil.copy(folder / "chain.pem", certificate)
        shutil.copy(folder / "key.pem", key)

    def trust(folder: Path) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=folder / "chain.pem")

    async def status(client: aiohttp.ClientSession, folder: Path) -> int:
        async with client.get("/livez", ssl=trust(folder), headers={"Connection": "close"}) as answer:
            return answer.status

    install(first)
    chosen = settings(tmp_path)
    http = replace(chosen.http, tls_certificate=certificate, tls_key=key)
    async with running(replace(chosen, http=http)) as (server, client):
        files = server.parts.certificate
        assert files is not None
        trusted = trust(first)
        async with client.get("/livez", ssl=trusted) as answer:
            assert answer.status == 200
        expiry = (await scrape(client, ssl=trusted))["halqa_tls_certificate_expiry_timestamp_seconds"]
        assert expiry == files.expires_at.timestamp()
        certificate.write_text("not a certificate")
        files.refresh()
        assert await status(client, first) == 200, "a broken file keeps the old certificate"
        shutil.copy(second / "chain.pem", certificate)
        files.refresh()
        assert await status(client, first) == 200, "a certificate without its key does, too"
        install(second)
        files.refresh()
        assert await status(client, second) == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status(client, first)
        async with client.get("/livez", ssl=trusted) as answer:
            assert answer.status == 200, "who was connected before stays connected"
        assert (files.reloads, files.failures) == (1, 2)


@pytest.mark.parametrize(
    ("readers", "headers", "with_key", "status"),
    [
        ("local", {}, False, 200),
        ("local", {"X-Forwarded-For": "192.0.2.1"}, False, 401),
        ("local", {"X-Forwarded-For": "192.0.2.1"}, True, 200),
        ("key", {}, False, 401),
        ("key", {}, True, 200),
        ("all", {"X-Forwarded-For": "192.0.2.1"}, False, 200),
    ],
)
async def test_metrics_are_for_those_who_may_read_them(
    readers: Any, headers: dict[str, str], with_key: bool, status: int, tmp_path: Path
) -> None:
    chosen = replace(settings(tmp_path), metrics=MetricsSettings(readers))
    async with running(chosen) as (_, client):
        shown = operator(tmp_path) if with_key else {}
        async with client.get("/metrics", headers=headers | shown) as answer:
            assert answer.status == status


def test_manual_has_every_metric() -> None:
    assert table() in MANUAL.read_text(encoding="utf-8"), "python -m control_api.metrics prints the table anew"


def test_metrics_follow_the_conventions() -> None:
    for family in CATALOGUE.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert re.fullmatch(r"[A-Z].*\.", family.meaning), family
        assert (family.kind is Kind.COUNTER) == family.name.endswith("_total")
        assert not re.search(r"_(ms|us|ns|percent|ratio|kb|kib)(_|$)", family.name), "base units"
        assert family.label not in {"room", "participant", "identity", "address", "tenant"}


async def test_everything_that_is_exported_is_in_the_catalogue(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        await school.join("teacher")
        async with aiohttp.ClientSession(school.server.url) as client, client.get("/metrics") as answer:
            text = await answer.text()
        ours = [family for family in text_string_to_metric_families(text) if family.name.startswith(PREFIX)]
        names = {family.name + ("_total" if family.type == "counter" else "") for family in ours}
        unknown = [name for name in names if name.removeprefix(PREFIX) not in CATALOGUE]
        assert not unknown, "each wants a sentence in control_api/metrics/catalogue.py or engine_families.py"
        # Without TLS, and for labels that nothing has had yet.
        quiet = {"joins_refused_total", "transports_failed_total", "transports_ended_total", "participants_left_total"}
        absent = CATALOGUE.keys() - {name.removeprefix(PREFIX) for name in names}
        assert {name for name in absent if not name.startswith("tls_")} <= quiet
        assert all(family.documentation.endswith(".") for family in ours)


async def test_joins_are_counted_by_stage_and_stays_told_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with open_school(tmp_path) as school, aiohttp.ClientSession(school.server.url) as client:
        before = await scrape(client)
        teacher, student = await school.join("teacher"), await school.join("student@school.example")
        for peer in (teacher, student):
            await peer.publish("camera", "microphone")
        await until(lambda: bool(student.key_frames_from(teacher.author)), "the student sees the teacher")
        await until(lambda: bool(teacher.key_frames_from(student.author)), "the teacher sees the student")
        await until(lambda: bool(teacher.heard()), "and hears them")
        await eventually(lambda: school.server.parts.health.loop_lag.histogram.count > 0)
        after = await scrape(client)

        def gained(name: str) -> float:
            return after.get(name, 0) - before.get(name, 0)

        for stage in ("websocket", "asked", "answered", "ice", "dtls", "media"):
            assert gained(f'halqa_joins_total{{stage="{stage}"}}') == 2, stage
        for stage in ("answered", "ice", "dtls", "media"):
            assert gained(f'halqa_join_duration_seconds_count{{stage="{stage}"}}') == 2, stage
        batches = gained('halqa_forward_latency_seconds_bucket{le="+Inf"}')
        assert batches > 0
        assert 0 < gained("halqa_forward_latency_seconds_sum") < batches, "the kernel notes arrivals"
        assert after["halqa_event_loop_lag_seconds_count"] > 0
        assert after["halqa_journal_commit_seconds_count"] > 0
        await leave(school, student)
        lines = [record for record in caplog.records if record.message == "participant left"]
        assert len(lines) == 1
        told = vars(lines[0])
        assert (told["room"], told["reason"], told["codecs"]) == ("algebra", "left", ["VP8", "opus"])
        assert 0 <= told["answered_s"] <= told["dtls_s"] <= told["media_s"] + 60
        assert told["received_packets"] > 0
        assert told["sent_packets"] > 0
        assert told["sent_bytes"] > told["sent_packets"]
        assert "student@school.example" not in str(told), "no line names a person"
        assert (await scrape(client))['halqa_participants_left_total{reason="left"}'] == 1
        stays = school.server.parts.stays
        assert len(stays) == 1
        await school.server.parts.signaling.close()
        assert len(stays) == 0, "whatever ends a stay, nothing of it is kept"


async def test_join_without_media_and_join_that_is_refused(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school, aiohttp.ClientSession(school.server.url) as client:
        headers = {"Authorization": f"Bearer {school.token('talker', 'algebra')}"}
        async with client.ws_connect("/v1/rooms/algebra/ws", headers=headers) as websocket:
            await websocket.send_json({"type": "join", "id": 1, "slots": []})
            assert (await websocket.receive_json(timeout=10))["type"] == "joined"
        async with client.ws_connect("/v1/rooms/algebra/ws", headers=headers) as websocket:
            await websocket.send_json({"type": "join", "id": 1, "offer": "v=1", "slots": []})
            assert (await websocket.receive_json(timeout=10))["code"] == "bad_offer"
        async with client.get("/v1/rooms/algebra/ws") as answer:
            assert answer.status == 401
        samples = await scrape(client)
        assert samples['halqa_joins_total{stage="answered"}'] == 1
        assert samples['halqa_joins_total{stage="ice"}'] == 0
        assert samples['halqa_joins_refused_total{code="bad_offer"}'] == 1
        assert samples['halqa_joins_refused_total{code="no_token"}'] == 1


async def leave(school: School, peer: Any) -> None:
    school.forget(peer)
    await peer.leave()
    await eventually(lambda: school.server.parts.signaling.participants == 1)
