"""A call goes on when its NAT forgets it: the server follows to the new port."""

from __future__ import annotations

from pathlib import Path

from tests.support.peer import PeerOptions
from tests.support.peer_school import open_school, until
from tests.support.relay import open_relay

FURTHER_PACKETS = 5
PATIENCE_S = 15.0  # the peer's next consent check is what tells the server


async def test_media_go_on_after_a_rebinding(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school, open_relay(school.server.engine.udp_ports[0]) as relay:
        teacher = await school.join("teacher")
        student = await school.join("student", options=PeerOptions(via=("127.0.0.1", relay.port)))
        for peer in (teacher, student):
            await peer.publish("camera")

        def counts() -> tuple[int, int]:
            return student.packets_from(teacher.author, video=True), teacher.packets_from(student.author, video=True)

        await until(lambda: min(counts()) >= FURTHER_PACKETS, "they see each other")
        relay.rebind()
        before = counts()
        await until(
            lambda: all(now >= then + FURTHER_PACKETS for now, then in zip(counts(), before, strict=True)),
            "they go on seeing each other",
            within_s=PATIENCE_S,
        )
        assert relay.rebindings == 1
        assert relay.clients == 1
