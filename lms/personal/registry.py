"""All that is held on people: one line for each module."""

from __future__ import annotations

from typing import Final

from lms.access import personal as access
from lms.api import personal as api
from lms.attendance import personal as attendance
from lms.audit import personal as audit
from lms.chat import personal as chat
from lms.classes import personal as classes
from lms.codes import personal as codes
from lms.courses import personal as courses
from lms.grades import personal as grades
from lms.live import personal as live
from lms.notifications import personal as notifications
from lms.people import personal as people
from lms.personal.holding import Holding
from lms.personal.requests_held import HOLDINGS as REQUESTS
from lms.sync import personal as sync

HOLDINGS: Final[tuple[Holding, ...]] = (
    *people.HOLDINGS,
    *access.HOLDINGS,
    *courses.HOLDINGS,
    *classes.HOLDINGS,
    *codes.HOLDINGS,
    *attendance.HOLDINGS,
    *grades.HOLDINGS,
    *chat.HOLDINGS,
    *live.HOLDINGS,
    *notifications.HOLDINGS,
    *sync.HOLDINGS,
    *api.HOLDINGS,
    *audit.HOLDINGS,
    *REQUESTS,
)
"""In the order in which they are erased: what refers to other rows comes before them."""
