"""A room around a worker without a thread, for the tests that drive one by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.native_peer import Room


@pytest.fixture
def room() -> Iterator[Room]:
    opened = Room()
    yield opened
    opened.close()
