"""One room on two workers, with native peers: nobody can tell which worker he is on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.integration.test_peers import CONTINUING_PACKETS, faults_of, gets_everybody
from tests.support.peer import Peer, PeerOptions
from tests.support.peer_offer import LIKE_CHROMIUM, LIKE_FIREFOX, SlotCounts
from tests.support.peer_school import open_school, until

CLASS_SIZE = 6
COUNTS = SlotCounts(audio=CLASS_SIZE - 1, video=CLASS_SIZE - 1, screen=0)


def seen(viewer: Peer, author: Peer) -> int:
    """Return how many packets of somebody's screen came."""
    return viewer.slots["s0"].packets[author.author]


def have_seen_more(viewers: Sequence[Peer], author: Peer, before: Sequence[int]) -> bool:
    return all(
        seen(viewer, author) >= count + CONTINUING_PACKETS for viewer, count in zip(viewers, before, strict=True)
    )


def have_empty_screens(viewers: Sequence[Peer]) -> bool:
    return all(viewer.slots["s0"].track is None for viewer in viewers)


async def test_everybody_sees_and_hears_everybody_over_two_workers(tmp_path: Path) -> None:
    async with open_school(tmp_path, workers=2, together_max=1) as school:
        peers = [
            await school.join(f"p{number}", options=PeerOptions(COUNTS, (LIKE_CHROMIUM, LIKE_FIREFOX)[number % 2]))
            for number in range(CLASS_SIZE)
        ]
        for peer in peers:
            await peer.publish("camera", "microphone")
        await until(lambda: all(gets_everybody(peer, peers) for peer in peers), "all see and hear all", within_s=20)
        assert school.metrics()["mirrored_total"] > 0
        assert school.metrics()["mirror_overflows_total"] == 0
        assert faults_of(peers) == []
        assert [peer.lost() for peer in peers] == [0] * CLASS_SIZE
        await until(lambda: all(peer.media.feedback["sender report"] >= 2 for peer in peers), "sender reports come")
        assert school.rows()[:2] == (CLASS_SIZE, 3 * CLASS_SIZE), "a mirror is no producer of its own"


async def test_tracks_come_and_go_and_leave_nothing_on_either_worker(tmp_path: Path) -> None:
    async with open_school(tmp_path, workers=2, together_max=1) as school:
        teacher, near, far = [await school.join(name) for name in ("teacher", "one", "other")]
        viewers = (near, far)
        for _ in range(3):
            await teacher.publish("screen")
            before = [seen(viewer, teacher) for viewer in viewers]
            await until(partial(have_seen_more, viewers, teacher, before), "both see the screen")
            await teacher.unpublish("screen")
            await until(partial(have_empty_screens, viewers), "the slots are empty")
        for peer in (teacher, *viewers):
            await peer.leave()
            school.forget(peer)
        await until(lambda: school.rows() == (0, 0, 0), "nothing is left", within_s=20)
