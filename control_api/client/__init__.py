"""A client of the control API for Python programs: typed, patient, and with a reader of the event feed."""

from control_api.client.control_client import ControlClient
from control_api.client.errors import (
    BadRequestError,
    ConflictError,
    ControlError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
    ServerError,
    UnauthorizedError,
    UnreachableError,
)
from control_api.client.events import EventPage
from control_api.client.patience import Patience

__all__ = [
    "BadRequestError",
    "ConflictError",
    "ControlClient",
    "ControlError",
    "EventPage",
    "ForbiddenError",
    "GoneError",
    "NotFoundError",
    "Patience",
    "RateLimitedError",
    "RefusedError",
    "ServerError",
    "UnauthorizedError",
    "UnreachableError",
]
