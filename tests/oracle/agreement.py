"""What a call comes to, error or value, so that a native function and its plain twin can be compared in one line."""

from __future__ import annotations

from collections.abc import Callable


def outcome(function: Callable[..., object], *args: object, **kwargs: object) -> object:
    """Return the value of a call, or the type and the sentence of the ValueError that it raised."""
    try:
        return function(*args, **kwargs)
    except ValueError as error:
        return type(error).__name__, str(error)


def prefixes(data: bytes) -> list[bytes]:
    """Return every prefix of `data`, the empty and the whole one too."""
    return [data[:length] for length in range(len(data) + 1)]
