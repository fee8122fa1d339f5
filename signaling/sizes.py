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
        """As told last: of those in the stream."""
        self._sums: tuple[int, ...] = ()

    def forget(self) -> None:
        """It is another stream from now on."""
        self._known = self._counted = self._sums = ()

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
        """Return what came of each size since the first call.

        Of a stream with fewer or more sizes than before other packets are counted, and from another start: that is no
        gain. Neither is it of what is not in the stream.
        """
        count = max(len(counted), len(self._known))
        sums = [*self._sums, *[0] * (count - len(self._sums))][:count]
        if len(counted) == len(self._counted):
            for index, (now, before) in enumerate(zip(counted, self._counted, strict=True)):
                sums[index] += max(now - before, 0)
        self._counted, self._sums = tuple(counted), tuple(sums)
        return self._sums


def _are_same(sent: Sequence[EncodingState], known: Sequence[EncodingState]) -> bool:
    return all(
        not now.height or not then.height or abs(now.height - then.height) <= SAME_HEIGHT * then.height
        for now, then in zip(sent, known, strict=False)
    )
