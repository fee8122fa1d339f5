"""Classes of native peers: everybody gets everybody by slots, and nobody gets anything else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.support.peer import Peer, PeerOptions
from tests.support.peer_offer import LIKE_CHROMIUM, LIKE_FIREFOX, SlotCounts
from tests.support.peer_school import open_school, until
from tests.support.peer_sources import Rates
from tests.support.relay import open_relay

CLASS_SIZE = 20
CONTINUING_PACKETS = 20
LOSS = "loss=5% only=media"
LOST_MIN = 12  # datagrams of each side
NUMBERS = (LIKE_CHROMIUM, LIKE_FIREFOX)


def gets_everybody(viewer: Peer, others: Sequence[Peer]) -> bool:
    """Whether a viewer sees and hears all the others."""
    return all(
        other is viewer
        or (
            viewer.key_frames_from(other.author)
            and viewer.packets_from(other.author, video=True) >= CONTINUING_PACKETS
            and viewer.packets_from(other.author, video=False) >= CONTINUING_PACKETS
        )
        for other in others
    )


def shown_in(viewer: Peer, kind: str) -> list[str]:
    """Return the identities that the viewer's slots of a kind are said to carry, sorted."""
    return sorted(
        viewer.identities[slot.participant]
        for slot in viewer.slots.values()
        if slot.kind == kind and slot.participant is not None
    )


def does_not_show(viewer: Peer, identity: str) -> bool:
    return identity not in {*shown_in(viewer, "video"), *shown_in(viewer, "audio")}


def faults_of(peers: Sequence[Peer]) -> list[str]:
    return list(itertools.chain.from_iterable(peer.faults() for peer in peers))


async def test_two_peers_see_and_hear_each_other(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        teacher = await school.join("teacher", options=PeerOptions(numbers=LIKE_CHROMIUM))
        student = await school.join("student", options=PeerOptions(numbers=LIKE_FIREFOX))
        both = (teacher, student)
        for peer in both:
            await peer.publish("camera", "microphone")
        await until(lambda: all(gets_everybody(peer, both) for peer in both), "both see and hear each other")
        await until(lambda: all(peer.slots["v0"].encoding == "h" for peer in both), "the middle one is chosen", 30)
        await until(lambda: all(peer.media.feedback["sender report"] >= 2 for peer in both), "sender reports come")
        assert faults_of(both) == []
        assert [peer.lost() for peer in both] == [0, 0]
        for peer in both:
            assert peer.media.loss_reported == 0
            assert peer.media.feedback["receiver report"]
            assert peer.media.feedback["transport-cc"]


async def test_a_screen_comes_into_the_screen_slot(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        teacher, student = await school.join("teacher"), await school.join("student")
        await teacher.publish("screen")
        screen = student.slots["s0"]
        await until(lambda: screen.packets[teacher.author] >= CONTINUING_PACKETS, "the screen is shown")
        await teacher.unpublish("screen")
        await until(lambda: screen.track is None, "the slot is empty")
        await teacher.publish("screen", "camera")
        await until(lambda: screen.key_frames[teacher.author] >= 2, "the second share is shown")
        await until(lambda: student.slots["v0"].key_frames[teacher.author], "the camera is shown beside it")
        assert faults_of([teacher, student]) == []
        assert student.lost() == 0


@pytest.mark.timeout(120)  # half a minute on two cores that others use too
async def test_twenty_get_each_other_by_slots(tmp_path: Path) -> None:
    counts = SlotCounts(audio=CLASS_SIZE - 1, video=CLASS_SIZE - 1, screen=0)
    rates = Rates(frames_per_second=10, audio_per_second=5)
    identities = [f"student-{number}" for number in range(CLASS_SIZE)]
    async with open_school(tmp_path, workers=2) as school:
        peers = [
            await school.join(identity, options=PeerOptions(counts, numbers, rates))
            for identity, numbers in zip(identities, itertools.cycle(NUMBERS), strict=False)
        ]
        for peer in peers:
            await peer.publish("camera", "microphone")
        for peer in peers:
            await until(partial(gets_everybody, peer, peers), f"{peer.identity} gets everybody", within_s=30)

        others = {peer: sorted(set(identities) - {peer.identity}) for peer in peers}
        for peer in peers:
            assert shown_in(peer, "video") == shown_in(peer, "audio") == others[peer]
            assert peer.heard() == {f"algebra/{identity}" for identity in others[peer]}
        assert faults_of(peers) == []
        assert [peer.identity for peer in peers if peer.lost()] == []
        assert [peer.identity for peer in peers if peer.media.loss_reported] == []

        leaver, staying = peers[7], peers[:7] + peers[8:]
        await leaver.leave()
        school.forget(leaver)
        for peer in staying:
            what = f"{leaver.identity} is gone from the slots of {peer.identity}"
            await until(partial(does_not_show, peer, leaver.identity), what)
            assert leaver.id not in peer.present
        await asyncio.sleep(0.3)  # what is under way still comes
        received = [sum(slot.packets[leaver.author] for slot in peer.slots.values()) for peer in staying]
        continuing = [peer.packets_from(staying[0].author, video=True) for peer in staying[1:]]
        await asyncio.sleep(1)
        assert received == [sum(slot.packets[leaver.author] for slot in peer.slots.values()) for peer in staying]
        for before, peer in zip(continuing, staying[1:], strict=True):
            assert peer.packets_from(staying[0].author, video=True) > before
        assert faults_of(staying) == []
        assert school.rows()[0] == CLASS_SIZE - 1


async def test_what_is_lost_on_either_side_is_sent_again(tmp_path: Path) -> None:
    rates = Rates(frames_per_second=25, packets_per_frame=4, audio_per_second=10)
    async with (
        open_school(tmp_path) as school,
        open_relay(school.server.engine.udp_ports[0], seed=3) as relay,
    ):
        behind = PeerOptions(rates=rates, via=("127.0.0.1", relay.port))
        teacher = await school.join("teacher", options=PeerOptions(rates=rates))
        student = await school.join("student", options=behind)
        both = (teacher, student)
        for peer in both:
            await peer.view(mid="v0", height=180)  # more is shown only after the path was found to be wide
            await peer.publish("camera")
        await until(lambda: all(peer.slots["v0"].encoding == "q" for peer in both), "both see each other")
        relay.change(up=LOSS, down=LOSS)
        await until(lambda: relay.up.lost >= LOST_MIN <= relay.down.lost, "enough is lost", within_s=30)
        relay.change(up="", down="")
        await until(lambda: not any(peer.lost() for peer in both), "everything has come at last")
        assert student.asked() > 0, "the student asks the server"
        assert student.media.feedback["nacked"] > 0, "the server asks the student"
        assert faults_of(both) == []
        metrics = school.metrics()
        assert metrics["nack_served_total"] > 0
        assert metrics["nack_recovered_total"] > 0 == metrics["nack_abandoned_total"]


async def test_two_rooms_do_not_leak_into_each_other(tmp_path: Path) -> None:
    rooms, identities = ("algebra", "هندسة"), ("amal", "badr", "chaim")
    async with open_school(tmp_path, workers=2) as school:
        classes = {
            room: [await school.join(identity, room, PeerOptions(seed=7)) for identity in identities] for room in rooms
        }
        everybody = [peer for peers in classes.values() for peer in peers]
        for peer in everybody:
            await peer.publish("camera", "microphone")
        for peers in classes.values():
            for peer in peers:
                await until(partial(gets_everybody, peer, peers), f"{peer.author} gets everybody")
        for room, peers in classes.items():
            for peer in peers:
                assert peer.heard() == {f"{room}/{identity}" for identity in identities if identity != peer.identity}
                assert len(peer.present) == len(identities)
        assert len({peer.media.link.server for peer in everybody}) == 2, "each room has a worker of its own"
        assert faults_of(everybody) == []
