"""What can go wrong with a request, one class for each kind of remedy."""

from __future__ import annotations

from typing import Final

from control_api.contract.errors import Error


class ControlError(Exception):
    """A request that did not succeed."""


class UnreachableError(ControlError):
    """No answer: the server is down, the network is, or time ran out. What was asked may have been done."""


class RefusedError(ControlError):
    """The server answered with an error; it changed nothing."""

    def __init__(self, status: int, error: Error, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{status} {error.code}: {error.message}")
        self.status = status
        self.code = error.code
        """For programs; see the documentation of the endpoint."""
        self.error = error
        self.retry_after_s = retry_after_s
        """When it is worth asking again, if the server said so."""


class BadRequestError(RefusedError):
    """400, 413, 415, 422: the request itself is wrong; `error.field` says where."""


class UnauthorizedError(RefusedError):
    """401: no API key, or a wrong one."""


class ForbiddenError(RefusedError):
    """403: the API key may not be used for this."""


class NotFoundError(RefusedError):
    """404: there is no such room, participant, track ... (any more)."""


class ConflictError(RefusedError):
    """409: what is there does not allow it."""


class GoneError(RefusedError):
    """410: a cursor whose events are not kept any more."""


class RateLimitedError(RefusedError):
    """429: too much at once; `retry_after_s` says when to ask again."""


class ServerError(RefusedError):
    """500 and above: the server failed, or takes nothing new."""


_CLASSES: Final[dict[int, type[RefusedError]]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    429: RateLimitedError,
}


def refused(status: int, error: Error, *, retry_after_s: float | None = None) -> RefusedError:
    """Return the error of the class that the status says."""
    known = _CLASSES.get(status, ServerError if status >= 500 else BadRequestError)
    return known(status, error, retry_after_s=retry_after_s)
