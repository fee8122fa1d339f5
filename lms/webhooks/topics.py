"""What webhooks can be told of: the outbox's topics that are for others, each with its meaning. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

EVERYTHING: Final = "*"
TEST: Final = "webhook.test"
"""Sent when somebody asks for it, to one receiver."""

TOPICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "class.planned": "A live class was planned.",
        "class.changed": "A live class was changed.",
        "class.cancelled": "A live class was cancelled.",
        "class.invited": "People were invited to a live class.",
        "class.started": "A live class began: a run of it.",
        "class.ended": "A run of a live class ended.",
        "series.planned": "A series of live classes was planned.",
        "series.cancelled": "What was left of a series was cancelled.",
        "course.enrolled": "Somebody came into a course by an access code.",
        "attendance.updated": "Attendance of a run is new, or other than before.",
        "grade.updated": "Grades of an item were changed, or can be seen now; never which points.",
        "recording.deleted": "A recording was deleted.",
        "host.verified": "An address leads to the organization from now on.",
        "host.unproven": "DNS has not held the proof of an address for days; it leads to the organization still.",
        "host.lost": "An address leads elsewhere now: its proof was missing for long, and another organization has it.",
        "person.erased": "Somebody's data was erased; erase what you hold of them.",
    }
)
