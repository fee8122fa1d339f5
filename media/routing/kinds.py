"""Header extension URIs as small numbers, the same in all workers, and the id tables that the native core reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from media.rtp import extensions

KINDS_MAX: Final = 64
"""As in the native core's rows: an id table of one transport has this many bytes."""

_KNOWN: Final[Mapping[str, int]] = {
    # The first seven, and the playout delay, are those that the native core itself looks at.
    extensions.MID: 1,
    extensions.RID: 2,
    extensions.REPAIRED_RID: 3,
    extensions.TRANSPORT_SEQUENCE: 4,
    extensions.ABSOLUTE_SEND_TIME: 5,
    extensions.AUDIO_LEVEL: 6,
    extensions.DEPENDENCY_DESCRIPTOR: 7,
    extensions.VIDEO_ORIENTATION: 8,
    extensions.TRANSMISSION_OFFSET: 9,
    extensions.PLAYOUT_DELAY: 10,
    extensions.VIDEO_CONTENT_TYPE: 11,
    extensions.VIDEO_TIMING: 12,
    extensions.COLOR_SPACE: 13,
    extensions.VIDEO_LAYERS_ALLOCATION: 14,
    extensions.ABSOLUTE_CAPTURE_TIME: 15,
    extensions.MIXER_AUDIO_LEVEL: 16,
}


class ExtensionKinds:
    """Numbers for URIs. Unknown ones that both ends negotiate pass through too, until the table is full."""

    def __init__(self) -> None:
        self._kinds = dict(_KNOWN)

    def kind(self, uri: str) -> int:
        """Return the number of a URI, a new one if it was never seen; 0 (never forwarded) when no number is left."""
        known = self._kinds.get(uri)
        if known is None:
            if len(self._kinds) + 1 >= KINDS_MAX:
                return 0
            known = self._kinds[uri] = len(self._kinds) + 1
        return known

    def in_table(self, negotiated: Mapping[int, str]) -> bytes:
        """Return 256 bytes: the kind of each extension id in packets that come."""
        table = bytearray(256)
        for extension_id, uri in negotiated.items():
            table[extension_id] = self.kind(uri)
        return bytes(table)

    def out_table(self, negotiated: Mapping[int, str]) -> bytes:
        """Return KINDS_MAX bytes: the id to send each kind under, 0 for what is not sent.

        Of what speaks of one hop only the transport-wide number is sent: our own, on slots that are numbered.
        """
        table = bytearray(KINDS_MAX)
        for extension_id, uri in negotiated.items():
            if uri not in extensions.HOP_BY_HOP or uri == extensions.TRANSPORT_SEQUENCE:
                table[self.kind(uri)] = extension_id
        table[0] = 0
        return bytes(table)
