"""The sizes of a layered stream that are known, also while its publisher sends only the smaller ones of them.

A stream tells what is in it at present. Who was asked for the smaller sizes alone tells of no others, but they are
there to be asked for; and a publisher whose network does not carry the largest will send it again, as in a simulcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from signaling.ports import EncodingState

SAME_HEIGHT: Final = 0.1
"""Encoders round heights: a size that differs by a tenth is the same one."""


class Sizes:
    """Of one track of one encoding."""

    def __init__(self) -> None:
        self._known: tuple[EncodingState, ...] = ()
        self._counted: tuple[int, ...] = ()

    def forget(self) -> None:
        """It is another stream from now on."""
        self._known = self._counted = ()

    def keep(self, sent: Sequence[EncodingState]) -> tuple[EncodingState, ...]:
        """Return the sizes that there are: those in the stream, smallest first, and larger ones that were before.

        What does not begin with the smallest known is another picture, of which nothing else is known.
        """
        if len(sent) < len(self._known) and _are_same(sent, self._known):
            self._known = (*sent, *self._known[len(sent) :])
        else:
            self._known = tuple(sent)
        return self._known

    def keep_bytes(self, counted: Sequence[int]) -> tuple[int, ...]:
        """Return what came of each size since the start; of those that are not in the stream, when they last were."""
        held_back = self._counted[len(counted) : len(self._known)] if len(counted) < len(self._known) else ()
        self._counted = (*counted, *held_back)
        return self._counted


def _are_same(sent: Sequence[EncodingState], known: Sequence[EncodingState]) -> bool:
    return all(
        not now.height or not then.height or abs(now.height - then.height) <= SAME_HEIGHT * then.height
        for now, then in zip(sent, known, strict=False)
    )
