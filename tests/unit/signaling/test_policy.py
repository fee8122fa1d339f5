"""The table of permissions."""

from __future__ import annotations

import pytest

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import ALL_SOURCES, NO_SOURCES, Grants
from signaling.identifiers import Identity, Role, RoomName, Source
from signaling.policy import audience_of, check_publish, check_send, check_view, may_receive, may_see


def grants(publish: frozenset[Source] = NO_SOURCES, *, subscribe: bool = True) -> Grants:
    return Grants(RoomName("r"), Identity("i"), 0.0, publish=publish, subscribe=subscribe)


@pytest.mark.parametrize("source", list(Source))
def test_publishing_is_granted_by_source(source: Source) -> None:
    check_publish(grants(ALL_SOURCES), source)
    check_publish(grants(frozenset({source})), source)
    for publish in (NO_SOURCES, ALL_SOURCES - {source}):
        with pytest.raises(RequestError, match=source.value) as error:
            check_publish(grants(publish), source)
        assert error.value.code is ErrorCode.NOT_ALLOWED


def test_seeing_others_is_granted_as_a_whole() -> None:
    check_view(grants())
    assert may_receive(grants())
    assert not may_receive(grants(subscribe=False))
    with pytest.raises(RequestError) as error:
        check_view(grants(subscribe=False))
    assert error.value.code is ErrorCode.NOT_ALLOWED


def test_who_is_hidden_neither_publishes_nor_sends() -> None:
    hidden = Grants(RoomName("r"), Identity("i"), 0.0, publish=ALL_SOURCES, hidden=True)
    with pytest.raises(RequestError) as error:
        check_publish(hidden, Source.CAMERA)
    assert error.value.code is ErrorCode.NOT_ALLOWED
    with pytest.raises(RequestError):
        check_send(hidden)


TEACHER, ASSISTANT, STUDENT = Role.TEACHER, Role.ASSISTANT, Role.STUDENT
STUDENT_SOUND = frozenset({(TEACHER, Source.CAMERA), (STUDENT, Source.MICROPHONE)})


@pytest.mark.parametrize(
    ("viewer", "sees", "owner", "source", "audience", "expected"),
    [
        (STUDENT, None, STUDENT, Source.CAMERA, None, True),
        (STUDENT, None, STUDENT, Source.CAMERA, {TEACHER}, False),
        (TEACHER, None, STUDENT, Source.CAMERA, {TEACHER}, True),
        (STUDENT, STUDENT_SOUND, TEACHER, Source.CAMERA, None, True),
        (STUDENT, STUDENT_SOUND, STUDENT, Source.CAMERA, None, False),
        (STUDENT, STUDENT_SOUND, STUDENT, Source.MICROPHONE, None, True),
        (STUDENT, STUDENT_SOUND, STUDENT, Source.MICROPHONE, frozenset(), False),
        (STUDENT, frozenset(), TEACHER, Source.CAMERA, None, False),
    ],
)
def test_a_track_is_for_its_audience_and_for_who_may_see_it(
    viewer: Role,
    sees: frozenset[tuple[Role, Source]] | None,
    owner: Role,
    source: Source,
    audience: frozenset[Role] | None,
    expected: bool,
) -> None:
    allowed = Grants(RoomName("r"), Identity("i"), 0.0, role=viewer, sees=sees)
    assert may_see(allowed, owner=owner, source=source, audience=audience) is expected


@pytest.mark.parametrize(
    ("granted", "wanted", "expected"),
    [
        (None, None, None),
        (None, [TEACHER], {TEACHER}),
        (frozenset({TEACHER, ASSISTANT}), None, {TEACHER, ASSISTANT}),
        (frozenset({TEACHER, ASSISTANT}), [ASSISTANT, STUDENT], {ASSISTANT}),
        (frozenset({TEACHER}), [], frozenset()),
    ],
)
def test_a_publisher_narrows_the_audience_and_never_widens_it(
    granted: frozenset[Role] | None, wanted: list[Role] | None, expected: frozenset[Role] | None
) -> None:
    audience = {} if granted is None else {Source.CAMERA: granted}
    grants = Grants(RoomName("r"), Identity("i"), 0.0, audience=audience)
    assert audience_of(grants, Source.CAMERA, wanted) == expected
    assert audience_of(grants, Source.SCREEN, None) is None
