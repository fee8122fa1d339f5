"""What live classes hold on somebody."""

from __future__ import annotations

from typing import Final

from lms.classes.tables import (
    calendar_feed,
    class_invite,
    class_series,
    join_grant,
    live_class,
    recording,
    recording_grant,
)
from lms.personal.holding import DELETE, Beside, Holding, Keep

_OF_CLASS: Final = (Beside("class_id", live_class, "title"),)

HOLDINGS: Final = (
    Holding("invitations", class_invite, by=("user_id",), beside=_OF_CLASS, erase=DELETE),
    Holding("seats", join_grant, by=("user_id",), erase=DELETE),
    Holding(
        "opened_recordings",
        recording_grant,
        by=("user_id",),
        beside=(Beside("recording_id", recording, "name"),),
        erase=DELETE,
    ),
    Holding("calendars", calendar_feed, by=("user_id",), erase=DELETE),
    Holding("classes_held", live_class, by=("host_id",), erase=Keep("others were in them")),
    Holding("series_held", class_series, by=("host_id",), erase=Keep("others were in their classes")),
)
