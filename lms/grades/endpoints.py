"""All endpoints of grades, and what the module listens to."""

from __future__ import annotations

from lms.api.endpoint import AnyEndpoint
from lms.grades.automatic import ATTENDANCE_UPDATED, AttendanceGrades
from lms.grades.grade_endpoints import SingleGradeEndpoints
from lms.grades.gradebook_endpoints import GradebookEndpoints
from lms.grades.structure_endpoints import StructureEndpoints
from lms.grades.transfer_endpoints import TransferEndpoints
from lms.parts import Parts


class GradeEndpoints:
    """Grades of courses; made once, because it also begins to listen to attendance."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        parts.relay.on(ATTENDANCE_UPDATED, AttendanceGrades(parts.database, parts.outbox).consume)

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            *StructureEndpoints(self._parts).endpoints(),
            *SingleGradeEndpoints(self._parts).endpoints(),
            *GradebookEndpoints().endpoints(),
            *TransferEndpoints(self._parts).endpoints(),
        )
