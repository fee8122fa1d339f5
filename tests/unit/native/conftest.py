"""A room around a worker without a thread, or around two of them, for the tests that drive them by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.native_peer import Room
from tests.support.worker_pair import Pair


@pytest.fixture
def room() -> Iterator[Room]:
    opened = Room()
    yield opened
    opened.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    opened = Pair()
    yield opened
    opened.close()
