"""Every fact that signalling can tell becomes its event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from control_api.journal.events import (
    ParticipantJoined,
    ParticipantLeft,
    ParticipantResumed,
    ParticipantSuspended,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
    RoomEnded,
    RoomStarted,
    TrackPublished,
    TrackUnpublished,
    decode_entry,
)
from control_api.journal.journal import Journal
from control_api.journal.observer import JournalObserver
from control_api.journal.reader import JournalReader
from control_api.journal.settings import JournalSettings
from signaling.codes import LeftReason
from signaling.facts import LeftFact, ParticipantFact, RecordingFact, RecordingId, RoomFact, TrackFact
from signaling.identifiers import Identity, ParticipantId, Role, RoomName, Source, TrackId
from signaling.ports import RoomObserver

ROOM = RoomName("algebra")
NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
WHO = ParticipantFact(ROOM, ParticipantId("p1"), Identity("student-17"), "Maryam", Role.STUDENT, False, NOW)
BY_HER = RecordingFact(ROOM, RecordingId("r1"), NOW, WHO)
BY_ITSELF = RecordingFact(ROOM, RecordingId("r1"), NOW, failure="the disk is full")
TRACK = TrackFact(WHO, TrackId("t1"), Source.CAMERA)


async def test_facts_become_events(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, JournalSettings(node="m1"))
    observer: RoomObserver = JournalObserver(journal)
    observer.room_started(RoomFact(ROOM, NOW))
    observer.participant_joined(WHO)
    observer.track_published(TRACK)
    observer.participant_suspended(WHO)
    observer.participant_resumed(WHO)
    observer.participant_suspended(replace(WHO, silent_s=18.24951))
    observer.participant_resumed(WHO)
    observer.track_unpublished(TRACK)
    observer.recording_started(BY_HER)
    observer.recording_paused(BY_HER)
    observer.recording_resumed(BY_HER)
    observer.recording_stopped(BY_ITSELF)
    observer.participant_left(LeftFact(replace(WHO, silent_s=20.0), LeftReason.TIMEOUT))
    observer.room_ended(RoomFact(ROOM, NOW))
    await journal.wait_durable(journal.position)
    items = JournalReader(journal.folder).read(0, durable=journal.durable, limit=100)
    await journal.close()
    assert [decode_entry(item.payload).event for item in items] == [
        RoomStarted(room="algebra"),
        ParticipantJoined(
            room="algebra", participant="p1", identity="student-17", name="Maryam", role="student", hidden=False
        ),
        TrackPublished(room="algebra", participant="p1", track="t1", source="camera"),
        ParticipantSuspended(room="algebra", participant="p1", identity="student-17"),
        ParticipantResumed(room="algebra", participant="p1", identity="student-17"),
        ParticipantSuspended(room="algebra", participant="p1", identity="student-17", silent_s=18.25),
        ParticipantResumed(room="algebra", participant="p1", identity="student-17"),
        TrackUnpublished(room="algebra", participant="p1", track="t1"),
        RecordingStarted(room="algebra", recording="r1", participant="p1", identity="student-17"),
        RecordingPaused(room="algebra", recording="r1", participant="p1", identity="student-17"),
        RecordingResumed(room="algebra", recording="r1", participant="p1", identity="student-17"),
        RecordingStopped(room="algebra", recording="r1", failure="the disk is full"),
        ParticipantLeft(room="algebra", participant="p1", identity="student-17", reason="timeout", silent_s=20.0),
        RoomEnded(room="algebra"),
    ]
