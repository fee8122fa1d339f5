"""The HTTP application over the parts of an LMS: one line for each module."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from lms.access.endpoints import LoginEndpoints
from lms.access.password_endpoints import PasswordEndpoints
from lms.api.document import add_document_routes
from lms.api.endpoint import AnyEndpoint
from lms.api.measurements import Measurements
from lms.api.middleware import add_headers, around
from lms.api.serve import SECURE
from lms.attendance.endpoints import AttendanceEndpoints
from lms.attendance.feed_reader import FeedReader
from lms.audit.endpoints import AuditEndpoints
from lms.chat.endpoints import ChatEndpoints
from lms.classes.endpoints import ClassEndpoints
from lms.codes.endpoints import CodeEndpoints
from lms.courses.endpoints import CourseEndpoints
from lms.grades.endpoints import GradeEndpoints
from lms.live.websocket import add_live_route
from lms.notifications.endpoints import NotificationEndpoints
from lms.operation.endpoints import OperationEndpoints, add_metrics_route
from lms.operator.endpoints import OperatorEndpoints
from lms.organizations.endpoints import OrganizationEndpoints
from lms.organizations.hosts import HostEndpoints
from lms.parts import Parts
from lms.people.endpoints import PeopleEndpoints
from lms.people.file_endpoints import PeopleFileEndpoints
from lms.personal.endpoints import PersonalEndpoints
from lms.schedule.endpoints import ScheduleEndpoints
from lms.sync.endpoints import SyncEndpoints
from lms.web.pages import add_school_page
from lms.webhooks.endpoints import WebhookEndpoints

REQUEST_BYTES_MAX: Final = 1 << 20  # for routes that are no endpoints; those have a limit of their own


def endpoints_of(parts: Parts) -> tuple[AnyEndpoint, ...]:
    """Return the endpoints, in the order of the documentation: one line for each module."""
    return (
        *LoginEndpoints(parts).endpoints(),
        *PasswordEndpoints(parts).endpoints(),
        *OrganizationEndpoints(parts).endpoints(),
        *HostEndpoints(parts).endpoints(),
        *PeopleFileEndpoints(parts).endpoints(),  # before people: /users/export is no person
        *PeopleEndpoints(parts).endpoints(),
        *AuditEndpoints().endpoints(),
        *CourseEndpoints(parts).endpoints(),
        *ClassEndpoints(parts).endpoints(),
        *CodeEndpoints(parts).endpoints(),
        *AttendanceEndpoints(parts).endpoints(),
        *GradeEndpoints(parts).endpoints(),
        *PersonalEndpoints(parts).endpoints(),
        *WebhookEndpoints(parts).endpoints(),
        *ScheduleEndpoints(parts).endpoints(),
        *ChatEndpoints(parts).endpoints(),
        *NotificationEndpoints(parts).endpoints(),
        *SyncEndpoints(parts).endpoints(),
        *OperatorEndpoints(parts).endpoints(),
        *OperationEndpoints(parts).endpoints(),
    )


def build_application(parts: Parts, reader: FeedReader | None = None) -> web.Application:
    """Return all routes of the service; `reader` of the media server's feed is for its metrics."""
    measurements = Measurements()
    middlewares = around(parts.settings.cors.origins, measurements.take)
    application = web.Application(middlewares=middlewares, client_max_size=REQUEST_BYTES_MAX)
    application[SECURE] = urlsplit(parts.url).scheme == "https"
    application.on_response_prepare.append(add_headers)
    endpoints = endpoints_of(parts)
    parts.server.add(application, endpoints)
    add_document_routes(application, endpoints)
    add_school_page(application)
    add_live_route(application, parts)
    add_metrics_route(application, parts, measurements, reader)
    return application
