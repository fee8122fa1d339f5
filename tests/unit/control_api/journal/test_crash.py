"""Real processes, really killed: nothing that was acknowledged is lost, nothing comes twice, everybody's end is known.

HALQA_TEST_KILLS sets how many times (200 before a release; few by default, to keep the suite fast).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from control_api.journal.events import Entry, ParticipantJoined, ParticipantLeft, RoomEnded, RoomStarted, decode_entry
from control_api.journal.journal import JOURNAL_FOLDER, Journal
from control_api.journal.reader import JournalReader
from control_api.journal.settings import JournalSettings

KILLS = int(os.environ.get("HALQA_TEST_KILLS", "6"))
WRITER = Path(__file__).with_name("crash_writer.py")
ROOT = Path(__file__).parents[4]
HEARTBEAT_S = 0.05
SLACK_S = 0.25  # of a busy test machine: the writer's own scheduling and fsync, not the design


@dataclass
class Life:
    """What one process said before it died."""

    boot_id: str
    acknowledged: list[tuple[int, str, str]] = field(default_factory=list)
    alive_s: float = 0.0


def run_and_kill(folder: Path, seed: int) -> Life | None:
    """Run a writer for a random while; None if it died before it had begun."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(WRITER), str(folder), str(seed)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    time.sleep(random.Random(seed).uniform(0.1, 0.7))
    assert writer.poll() is None, writer.communicate()[1].decode()
    writer.send_signal(signal.SIGKILL)
    output, _ = writer.communicate()
    life: Life | None = None
    for line in output.decode().splitlines():
        match line.split():
            case ["boot", boot_id]:
                life = Life(boot_id)
            case ["ack", seq, kind, name] if life:
                life.acknowledged.append((int(seq), kind, name))
            case ["alive", seconds] if life:
                life.alive_s = float(seconds)
    return life


def read_all(folder: Path, durable: int) -> list[Entry]:
    reader = JournalReader(folder / JOURNAL_FOLDER)
    entries: list[Entry] = []
    position = 0
    while items := reader.read(position, durable=durable, limit=997):
        assert [item.position for item in items] == list(range(position + 1, position + 1 + len(items)))
        assert not any(item.lost for item in items)
        entries += [decode_entry(item.payload) for item in items]
        position = items[-1].position
    return entries


@pytest.mark.timeout(60 + 3 * KILLS)
async def test_kill_at_any_moment(tmp_path: Path) -> None:
    lives = [life for seed in range(KILLS) if (life := run_and_kill(tmp_path, seed)) is not None]
    journal = await Journal.open(tmp_path, JournalSettings(node="m1", segments_max=1_000_000))
    entries = read_all(tmp_path, journal.durable)
    await journal.close()

    # None twice, order kept: every boot's numbers are 1, 2, 3 ..., and boots do not mix.
    seen: dict[str, int] = {}
    order: list[str] = []
    for entry in entries:
        assert entry.seq == seen.get(entry.boot_id, 0) + 1
        seen[entry.boot_id] = entry.seq
        if not order or order[-1] != entry.boot_id:
            order.append(entry.boot_id)
    assert len(order) == len(set(order))

    # None lost that was acknowledged.
    kept = {
        (entry.boot_id, entry.seq, type(entry.event).__name__, getattr(entry.event, "participant", ""))
        for entry in entries
    }
    acknowledged = {(life.boot_id, *each) for life in lives for each in life.acknowledged}
    assert acknowledged <= kept

    # Each presence and room begins and ends once.
    joins = {e.event.participant: e for e in entries if isinstance(e.event, ParticipantJoined)}
    leaves = [e for e in entries if isinstance(e.event, ParticipantLeft)]
    assert Counter(e.event.participant for e in leaves) == Counter(joins.keys())  # type: ignore[union-attr]
    starts = Counter(e.event.room for e in entries if isinstance(e.event, RoomStarted))
    assert Counter(e.event.room for e in entries if isinstance(e.event, RoomEnded)) == starts

    # Those that nobody saw leave are closed within a heartbeat of the truth, and never after it.
    alive_s = {life.boot_id: life.alive_s for life in lives}
    worst_s = 0.0
    for entry in leaves:
        assert isinstance(entry.event, ParticipantLeft)
        if (inferred := entry.event.inferred) is None:
            continue
        join = joins[entry.event.participant]
        assert inferred.boot_id == join.boot_id
        assert inferred.uptime_s >= join.uptime_s
        worst_s = max(worst_s, alive_s.get(inferred.boot_id, 0.0) - inferred.uptime_s)
    assert worst_s <= HEARTBEAT_S + SLACK_S
    print(
        f"{KILLS} kills, {len(order)} boots, {len(entries)} events, {len(acknowledged)} acknowledged, "
        f"closed at most {worst_s * 1000:.0f} ms before the last sign of life"
    )
