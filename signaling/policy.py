"""Who may do what: every permission question of the room is asked here, so that its table is in one place."""

from __future__ import annotations

from collections.abc import Collection

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import Role, Source


def check_publish(grants: Grants, source: Source) -> None:
    """Raise RequestError unless these grants allow a track of this source."""
    if grants.hidden:
        raise RequestError(ErrorCode.NOT_ALLOWED, "who is hidden does not publish")
    if source not in grants.publish:
        raise RequestError(ErrorCode.NOT_ALLOWED, f"you are not allowed to publish {source.value}")


def check_view(grants: Grants) -> None:
    """Raise RequestError unless these grants allow to choose what a slot shows."""
    if not grants.subscribe:
        raise RequestError(ErrorCode.NOT_ALLOWED, "you are not allowed to subscribe")


def check_send(grants: Grants) -> None:
    """Raise RequestError unless these grants allow to be heard beside one's tracks."""
    if grants.hidden:
        raise RequestError(ErrorCode.NOT_ALLOWED, "who is hidden does not send")
    if not grants.send:
        raise RequestError(ErrorCode.NOT_ALLOWED, "you are not allowed to send")


def check_moderate(grants: Grants) -> None:
    """Raise RequestError unless these grants allow to decide for the room."""
    if not grants.moderate:
        raise RequestError(ErrorCode.NOT_ALLOWED, "you are not allowed to moderate")


def check_record(grants: Grants) -> None:
    """Raise RequestError unless these grants allow to record the room."""
    if not grants.record:
        raise RequestError(ErrorCode.NOT_ALLOWED, "you are not allowed to record")


def check_decide_about(moderator: Grants, other: Grants) -> None:
    """Raise RequestError if a moderator may not decide about this person: about teachers only teachers do."""
    if other.role is Role.TEACHER and moderator.role is not Role.TEACHER:
        raise RequestError(ErrorCode.NOT_ALLOWED, "only a teacher decides about a teacher")


def check_appoint(moderator: Grants) -> None:
    """Raise RequestError unless these grants allow to decide who moderates or records."""
    if moderator.role is not Role.TEACHER:
        raise RequestError(ErrorCode.NOT_ALLOWED, "only a teacher decides who moderates or records")


def may_receive(grants: Grants) -> bool:
    """Return whether tracks of others are sent at all."""
    return grants.subscribe


def may_see(viewer: Grants, *, owner: Role, source: Source, audience: Collection[Role] | None) -> bool:
    """Return whether a track may be sent to somebody; `audience` is for whom it is, None for everybody."""
    if audience is not None and viewer.role not in audience:
        return False
    return viewer.sees is None or (owner, source) in viewer.sees


def audience_of(grants: Grants, source: Source, wanted: Collection[Role] | None) -> frozenset[Role] | None:
    """Return for whom a new track is: the publisher may narrow what the token says, never widen it."""
    granted = grants.audience.get(source)
    if wanted is None:
        return granted
    return frozenset(wanted) if granted is None else granted & frozenset(wanted)
