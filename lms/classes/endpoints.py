"""All endpoints of live classes, in the order of the documentation."""

from __future__ import annotations

from lms.api.endpoint import AnyEndpoint
from lms.classes.breakouts import BreakoutEndpoints
from lms.classes.calendars import CalendarEndpoints
from lms.classes.invitations import InvitationEndpoints
from lms.classes.planning import PlanningEndpoints
from lms.classes.recordings import RecordingEndpoints
from lms.classes.running import RunningEndpoints
from lms.classes.series import SeriesEndpoints
from lms.parts import Parts


class ClassEndpoints:
    """Live classes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        parts = self._parts
        return (
            *PlanningEndpoints(parts).endpoints(),
            *SeriesEndpoints(parts).endpoints(),
            *InvitationEndpoints(parts).endpoints(),
            *RunningEndpoints(parts, parts.media).endpoints(),
            *BreakoutEndpoints(parts, parts.media).endpoints(),
            *CalendarEndpoints(parts).endpoints(),
            *RecordingEndpoints(parts).endpoints(),
        )
