"""The one error that hostile or unusable SDP causes."""

from __future__ import annotations

from media.errors import RemoteError

QUOTED_CHARACTERS_MAX = 80
"""Of a value in a message: enough to recognise it, too little to fill a log."""


class SdpError(RemoteError):
    """The peer's SDP cannot be used. The message is one printable ASCII sentence that names line and value."""

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"SDP line {line}: {reason}")
        self.line = line
        """Number of the line at fault, counted from 1; None when no single line is."""


def quote(value: str) -> str:
    """Return a value from the peer as it may stand in a message: in quotes, escaped to ASCII and cut."""
    if len(value) > QUOTED_CHARACTERS_MAX:
        return f"{value[:QUOTED_CHARACTERS_MAX]!a}..."
    return ascii(value)
