"""All endpoints of grades, and what the module listens to."""

from __future__ import annotations

from lms.api.endpoint import AnyEndpoint
from lms.grades.automatic import ATTENDANCE_UPDATED, AttendanceGrades
from lms.grades.category_endpoints import CategoryEndpoints
from lms.grades.grade_endpoints import SingleGradeEndpoints
from lms.grades.gradebook_endpoints import GradebookEndpoints
from lms.grades.item_endpoints import ItemEndpoints
from lms.grades.transfer_endpoints import TransferEndpoints
from lms.parts import Parts


class GradeEndpoints:
    """Grades of courses; made once, because it also begins to listen to attendance."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        parts.relay.on(ATTENDANCE_UPDATED, AttendanceGrades(parts.database, parts.outbox).consume)

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            *CategoryEndpoints(self._parts).endpoints(),
            *ItemEndpoints(self._parts).endpoints(),
            *SingleGradeEndpoints(self._parts).endpoints(),
            *GradebookEndpoints().endpoints(),
            *TransferEndpoints(self._parts).endpoints(),
        )
