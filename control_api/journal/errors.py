"""What can go wrong with a journal: the one error that its users meet."""

from __future__ import annotations

from media.errors import LocalError


class JournalError(LocalError):
    """The journal cannot be used as it is; the message says what and why."""
