"""Who may do what: every permission question of the room is asked here, so that its table is in one place."""

from __future__ import annotations

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import Source


def check_publish(grants: Grants, source: Source) -> None:
    """Raise RequestError unless these grants allow a track of this source."""
    if grants.hidden:
        raise RequestError(ErrorCode.NOT_ALLOWED, "who is hidden does not publish")
    if source not in grants.publish:
        raise RequestError(ErrorCode.NOT_ALLOWED, f"the token does not allow to publish {source.value}")


def check_view(grants: Grants) -> None:
    """Raise RequestError unless these grants allow to choose what a slot shows."""
    if not grants.subscribe:
        raise RequestError(ErrorCode.NOT_ALLOWED, "the token does not allow to subscribe")


def may_receive(grants: Grants) -> bool:
    """Return whether tracks of others are sent at all."""
    return grants.subscribe
