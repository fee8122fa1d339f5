"""All endpoints of attendance."""

from __future__ import annotations

from lms.api.endpoint import AnyEndpoint
from lms.attendance.policy_endpoints import PolicyEndpoints
from lms.attendance.rate_endpoints import RateEndpoints
from lms.attendance.sheet_endpoints import SheetEndpoints
from lms.parts import Parts


class AttendanceEndpoints:
    """Sheets, rates and rules."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        groups = SheetEndpoints(self._parts), RateEndpoints(), PolicyEndpoints(self._parts)
        return tuple(endpoint for group in groups for endpoint in group.endpoints())
