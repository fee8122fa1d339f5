"""Text frames on the wire are what RFC 6455 section 5.7 shows, and what another implementation reads."""

from __future__ import annotations

import pytest

from signaling.framing import frame_head


def test_the_example_of_the_rfc() -> None:
    assert (frame_head(5) + b"Hello").hex(" ") == "81 05 48 65 6c 6c 6f"


@pytest.mark.parametrize(
    ("size_bytes", "head"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
        (1 << 20, "817f0000000000100000"),
    ],
)
def test_lengths_have_three_forms(size_bytes: int, head: str) -> None:
    assert frame_head(size_bytes).hex() == head
