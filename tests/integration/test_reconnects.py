"""Connections and media paths break, alone and together, with real media between native peers; times are cut short."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from media.transport.ice import IceConfig
from signaling.limits import RoomSettings
from tests.support import peer_link
from tests.support.peer import Peer, PeerOptions
from tests.support.peer_place import QUICK, lesson, paths, place, shown, types
from tests.support.peer_school import until
from tests.support.relay import open_relay

CUT_S = float(os.environ.get("HALQA_TEST_CUT_SECONDS", "0.5"))
"""How long a WebSocket is cut; set to 5 or 30 to see it with the times of real networks."""
SILENCE_S = float(os.environ.get("HALQA_TEST_SILENCE_SECONDS", "1.5"))
"""How long media path and WebSocket are cut together; from 30 on with the times of real networks."""
GAP_MAX_S = 2.0
"""From the return of the network, or of the page, to media."""


@pytest.fixture(autouse=True)
def checks_come_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_link, "KEEPALIVE_INTERVAL_S", 0.2)


async def media_flows(viewer: Peer, author: Peer, *, what: str, within_s: float = 10.0) -> float:
    """Return how long it took until something more came."""
    before, since = shown(viewer, author), time.monotonic()
    await until(lambda: shown(viewer, author) > before, what, within_s=within_s, every_s=0.005)
    return time.monotonic() - since


async def test_media_goes_on_while_the_websocket_is_cut_and_nothing_is_missed() -> None:
    async with place() as at:
        teacher, student = await lesson(at)
        lost = student.lost()
        await teacher.signal.break_off()
        await until(lambda: "presence" in types(student), "the student is told")
        before = shown(student, teacher)
        await student.signal.ask({"type": "send", "body": "Are you there?"})
        await asyncio.sleep(CUT_S)
        assert shown(student, teacher) > before, "media went on"
        await at.resume(teacher)
        assert [each["body"] for each in teacher.told if each["type"] == "message"] == ["Are you there?"]
        await media_flows(student, teacher, what="media still goes on")
        assert student.lost() == lost
        assert "left" not in types(student)
        assert [*teacher.faults(), *student.faults()] == []


async def test_a_silent_media_path_is_kept_told_and_brought_back_by_an_ice_restart() -> None:
    async with place() as at:
        teacher, student = await lesson(at)
        teacher.media.link.cut = True
        await until(lambda: "media" in types(teacher), "the teacher is asked to restart ICE")
        assert paths(teacher) == ["silent"]
        await asyncio.sleep(QUICK.consent_timeout_s)
        assert at.transports == 2
        teacher.media.link.cut = False
        since = time.monotonic()
        await teacher.restart_ice()
        await media_flows(student, teacher, what="media is back")
        print(f"media is back after {time.monotonic() - since:.2f} s")
        assert time.monotonic() - since < GAP_MAX_S
        await until(lambda: paths(teacher) == ["silent", "alive"], "the teacher is told")
        assert "left" not in types(student)


async def test_who_loses_both_for_longer_than_consent_comes_back_with_everything() -> None:
    ice = QUICK if IceConfig().consent_timeout_s > SILENCE_S else IceConfig()
    async with place(ice=ice) as at:
        teacher, student = await lesson(at)
        for peer in (teacher, student):
            peer.media.link.cut = True
            await peer.signal.break_off()
        await until(lambda: at.signaling.connections == 0, "the server knows")
        await asyncio.sleep(SILENCE_S)
        assert at.signaling.participants == 2
        sent_before = at.engine.metrics()["sent_total"]
        await asyncio.sleep(0.2)
        assert at.engine.metrics()["sent_total"] == sent_before, "nothing is sent without consent (RFC 7675)"
        for peer in (teacher, student):
            peer.media.link.cut = False
        since = time.monotonic()
        await at.resume(teacher, restart_ice=True)
        await at.resume(student, restart_ice=True)
        await media_flows(student, teacher, what="media is back")
        print(f"media is back after {time.monotonic() - since:.2f} s")
        assert time.monotonic() - since < GAP_MAX_S
        assert at.transports == 2
        assert "left" not in [*types(student), *types(teacher)]
        assert student.faults() == []


async def test_media_that_stays_away_ends_the_stay_with_its_code() -> None:
    room = RoomSettings(empty_timeout_s=0.0, media_timeout_s=0.5)
    async with place(room) as at:
        teacher = await at.join("teacher")
        teacher.media.link.cut = True
        assert await teacher.signal.wait_closed() == 4005
        await until(lambda: at.transports == 0, "its rows are gone")


async def test_a_resume_window_that_ends_frees_everything() -> None:
    room = RoomSettings(empty_timeout_s=0.0, resume_window_s=0.5, media_timeout_s=0.1)
    async with place(room) as at:
        teacher = await at.join("teacher")
        teacher.media.link.cut = True
        await teacher.signal.break_off()
        await until(lambda: at.signaling.participants == 0, "nobody is waited for any more")
        await until(lambda: (at.signaling.rooms, at.transports) == (0, 0), "the room is gone")


async def test_the_earlier_connection_looks_alive_when_the_client_comes_back() -> None:
    async with place() as at:
        teacher, student = await lesson(at)
        earlier = teacher.signal
        await at.resume(teacher, restart_ice=True)
        assert await earlier.wait_closed() == 4008
        await media_flows(student, teacher, what="media goes on")
        assert "presence" not in types(student), "for the others nothing happened"


async def test_a_page_that_is_reloaded_is_back_within_two_seconds() -> None:
    async with place(RoomSettings(media_timeout_s=10.0)) as at:
        teacher, student = await lesson(at)
        await student.signal.ask({"type": "state", "scope": "room", "key": "slide", "value": 7})
        await student.leave()
        await teacher.media.end(goodbye=False)
        await teacher.signal.close()
        since = time.monotonic()
        again = await at.join("teacher")
        await again.publish("camera")
        viewer = await at.join("student")
        await until(lambda: shown(viewer, again), "the camera is shown again", within_s=10)
        print(f"the page is back after {time.monotonic() - since:.2f} s")
        assert time.monotonic() - since < GAP_MAX_S
        [joined] = [each for each in again.told if each["type"] == "joined"]
        assert joined["room"]["state"]["slide"]["value"] == 7, "the empty room was kept"


async def test_who_reloads_while_the_server_believes_in_the_page_takes_its_place() -> None:
    async with place() as at:
        teacher, student = await lesson(at)
        await teacher.vanish()
        since = time.monotonic()
        again = await at.join("teacher")
        await again.publish("camera")
        before = shown(student, again)
        await until(lambda: shown(student, again) > before, "the camera is shown again")
        assert time.monotonic() - since < GAP_MAX_S
        [left] = [each for each in student.told if each["type"] == "left"]
        assert (left["participant"], left["reason"]) == (teacher.id, "replaced")


@pytest.mark.parametrize(("who", "gap_max_s"), [("teacher", 1.0), ("student", GAP_MAX_S)])
async def test_a_nat_that_rebinds(who: str, gap_max_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser checks every 2.5 s at rest; the server sees sealed packets from elsewhere, and asks for a check.

    Who sends media is noticed with the next packet, who only watches with the next report: these come once a second.
    """
    monkeypatch.setattr(peer_link, "KEEPALIVE_INTERVAL_S", 2.5)
    async with place(ice=IceConfig()) as at, open_relay(at.engine.udp_ports[0]) as relay:
        behind = PeerOptions(via=("127.0.0.1", relay.port))
        teacher = await at.join("teacher", behind if who == "teacher" else None)
        student = await at.join("student", behind if who == "student" else None)
        await teacher.publish("camera")
        await until(lambda: shown(student, teacher) > 15, "the camera is shown, and reported on")
        moves = teacher if who == "teacher" else student
        restart = asyncio.create_task(restarts_ice_when_asked(moves))
        relay.change(up="rebind")
        gap_s = await longest_gap(student, teacher, during=restart)
        assert relay.rebindings
        print(f"longest gap of media: {gap_s:.2f} s")
        assert gap_s <= gap_max_s
        assert paths(moves) == ["silent", "alive"]
        assert "left" not in types(student)


async def longest_gap(viewer: Peer, author: Peer, *, during: asyncio.Task[None]) -> float:
    """Return the longest time without media until this is done and media flows again."""
    longest_s, last, last_at = 0.0, shown(viewer, author), time.monotonic()
    while not during.done() or longest_s == 0:
        await asyncio.sleep(0.005)
        if (now_shown := shown(viewer, author)) != last:
            longest_s = max(longest_s, time.monotonic() - last_at)
            last, last_at = now_shown, time.monotonic()
    await during
    return max(longest_s, await media_flows(viewer, author, what="media passes the new address"))


async def restarts_ice_when_asked(peer: Peer) -> None:
    """Do what clients do that are told of a silent media path, once."""
    await until(lambda: "silent" in paths(peer), "the client is asked for a check", every_s=0.005)
    await peer.restart_ice()
    await until(lambda: paths(peer)[-1] == "alive", "the server has heard it")
