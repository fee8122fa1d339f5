"""What ends a run early, or makes it none: each says in a sentence what happened, for whoever started it."""

from __future__ import annotations


class LoadError(RuntimeError):
    """The run cannot begin, or cannot go on."""


class JoinError(RuntimeError):
    """One peer did not come in: counted, and told in the report."""


class UnreachableError(JoinError):
    """Nobody answers at the server's address."""


class RefusedError(JoinError):
    """The server said no: a token that it does not take, a full room, an offer that it cannot use."""


class MalformedAnswerError(JoinError):
    """The server's SDP is not one that a peer can go by."""


class PathError(JoinError):
    """ICE or DTLS did not come to an end."""
