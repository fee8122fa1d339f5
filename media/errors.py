"""Errors of the engine: what the peer did wrong, and what we did wrong."""

from __future__ import annotations


class MediaError(Exception):
    """Any error that the engine raises on purpose."""


class RemoteError(MediaError):
    """The peer's fault: turned into a counter or a protocol answer, never a traceback."""


class LocalError(MediaError):
    """Our fault: a call that the state does not allow. It fails loudly."""
