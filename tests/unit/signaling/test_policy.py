"""The table of permissions."""

from __future__ import annotations

import pytest

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import ALL_SOURCES, NO_SOURCES, Grants
from signaling.identifiers import Identity, RoomName, Source
from signaling.policy import check_publish, check_view, may_receive


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
