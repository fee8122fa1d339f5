"""Ids that packets can carry."""

from __future__ import annotations

import pytest

from media.rtp.extensions import is_usable_id


@pytest.mark.parametrize(
    ("extension_id", "usable"),
    [(0, False), (1, True), (14, True), (15, False), (16, True), (255, True), (256, False), (4096, False)],
)
def test_usable_ids(extension_id: int, usable: bool) -> None:
    assert is_usable_id(extension_id) is usable
