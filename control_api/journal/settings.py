"""What the operator may choose for the journal."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, field
from typing import Final

from control_api.journal.errors import JournalError

HEARTBEAT_S_DEFAULT: Final = 15.0
"""What a crash may cost of each presence; a heartbeat costs one fsync and 80 bytes."""
RETRY_S_DEFAULT: Final = 5.0
SEGMENT_BYTES_DEFAULT: Final = 4 << 20  # some 12,000 events; read whole in recovery and by readers
SEGMENT_BYTES_MIN: Final = 4096
RETENTION_S_DEFAULT: Final = 30 * 86_400.0  # an LMS that was down for a month still gets everything
SEGMENTS_MAX_DEFAULT: Final = 1024  # 4 GiB of disk at most, whatever happens
_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _host_name() -> str:
    name = platform.node().split(".")[0]
    return name if _NODE.fullmatch(name) else "media"


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How the journal is kept."""

    node: str = field(default_factory=_host_name)
    """Name of this media server in its events; the host's by default."""
    heartbeat_s: float = HEARTBEAT_S_DEFAULT
    """What a crash may cost of each presence: it is noted twice as often that the server lives."""
    retry_s: float = RETRY_S_DEFAULT
    """After an error of the disk it is tried again so often."""
    segment_bytes: int = SEGMENT_BYTES_DEFAULT
    """A file that has grown to this size is followed by the next."""
    retention_s: float = RETENTION_S_DEFAULT
    """Files that were last written to longer ago are removed."""
    segments_max: int = SEGMENTS_MAX_DEFAULT
    """The oldest files above this number are removed too."""

    def __post_init__(self) -> None:
        if not _NODE.fullmatch(self.node):
            raise JournalError(f"node name {self.node!r} must be 1 to 63 of letters, digits, dot, hyphen, underscore")
        if not 0 < self.heartbeat_s <= 3600:
            raise JournalError(f"heartbeat is every {self.heartbeat_s} s, expected above 0 and at most 3600")
        if self.segment_bytes < SEGMENT_BYTES_MIN:
            raise JournalError(f"segment size is {self.segment_bytes} bytes, expected {SEGMENT_BYTES_MIN} or more")
        if self.retention_s <= 0:
            raise JournalError(f"retention is {self.retention_s} s, expected more than 0")
        if self.segments_max < 2:
            raise JournalError(f"number of segments kept is {self.segments_max}, expected 2 or more")
