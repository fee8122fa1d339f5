"""Native peers speak in turn: everybody is told who does, and hears them in the slots that they have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from control_api.invitations import Role
from tests.support.peer import Peer, PeerOptions
from tests.support.peer_offer import LIKE_CHROMIUM, LIKE_FIREFOX, SlotCounts
from tests.support.peer_school import open_school, until
from tests.support.peer_sources import SILENT_LEVEL, Rates

RATES = Rates(audio_per_second=50, audio_level=SILENT_LEVEL)
TWO_SLOTS = SlotCounts(audio=2, video=0, screen=0)
CONTINUING_PACKETS = 20
STUDENTS = ("amal", "badr", "chen")


def in_slots(viewer: Peer) -> set[str]:
    """Return the identities whose sound the audio slots are said to carry."""
    return {viewer.identities[slot.participant] for slot in viewer.slots.values() if slot.participant is not None}


def has_in_slots(viewer: Peer, identities: set[str]) -> bool:
    return in_slots(viewer) == identities


def all_are_told(peers: Sequence[Peer], speakers: list[str]) -> bool:
    return all(peer.speakers and peer.speakers[-1] == speakers for peer in peers)


def packets(viewer: Peer, author: Peer) -> int:
    return viewer.packets_from(author.author, video=False)


async def flows(viewer: Peer, author: Peer) -> None:
    """Wait until a viewer gets more of somebody's sound."""
    before = packets(viewer, author)
    what = f"{viewer.identity} hears {author.identity}"
    await until(lambda: packets(viewer, author) >= before + CONTINUING_PACKETS, what)


async def test_three_speak_in_turn(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        students = [
            await school.join(identity, options=PeerOptions(TWO_SLOTS, numbers, RATES), role=Role.STUDENT)
            for identity, numbers in zip(STUDENTS, (LIKE_CHROMIUM, LIKE_FIREFOX, LIKE_CHROMIUM), strict=True)
        ]
        viewer = await school.join("viewer", options=PeerOptions(TWO_SLOTS, LIKE_FIREFOX, RATES), role=Role.STUDENT)
        teacher = await school.join("teacher", options=PeerOptions(TWO_SLOTS, LIKE_CHROMIUM, RATES))
        everybody = [*students, viewer, teacher]
        for student in students:
            await student.publish("microphone")
        for student in students:
            student.speak()
            await until(partial(all_are_told, everybody, [student.identity]), f"{student.identity} speaks, alone")
            await asyncio.gather(*(flows(peer, student) for peer in everybody if peer is not student))
            student.speak(SILENT_LEVEL)
        await until(partial(all_are_told, everybody, []), "everybody is told of the silence")
        assert in_slots(viewer) == in_slots(teacher) == {"badr", "chen"}
        assert {name for message in viewer.speakers for name in message} == set(STUDENTS)

        # The teacher has a slot before the first word, and keeps it whoever speaks.
        await teacher.publish("microphone")
        await until(partial(has_in_slots, viewer, {"teacher", "chen"}), "the teacher is pinned")
        await flows(viewer, teacher)
        for student in students[:2]:
            student.speak()
            await until(partial(has_in_slots, viewer, {"teacher", student.identity}), "one slot is left")
            await asyncio.gather(flows(viewer, student), flows(viewer, teacher))
            student.speak(SILENT_LEVEL)
        badr = students[1]

        # Muted by the server: no packet comes any more, and nobody is told that they speak.
        badr.speak()
        await until(lambda: viewer.speakers[-1] == ["badr"], "badr speaks again")
        await teacher.signal.ask({"type": "mute_participant", "participant": badr.id})
        await until(lambda: viewer.speakers[-1] == [], "the muted do not speak")
        came = packets(viewer, badr)
        await asyncio.sleep(0.5)
        assert packets(viewer, badr) == came
        assert viewer.speakers[-1] == []
        assert badr.media.sources["microphone"].streams[0].packets > came
        assert [fault for peer in everybody for fault in peer.faults()] == []
        assert [peer.identity for peer in everybody if peer.lost()] == []
