"""Values that people leave in a room under keys: bounded, each with the number of the event that set it."""

from __future__ import annotations

from typing import Any

import msgspec

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.limits import JSON_DEPTH_MAX, STATE_VALUE_BYTES_MAX, StateLimits
from signaling.server_messages import StateEntry


class KeptState:
    """State of one participant, or of the room. What is null is not there."""

    def __init__(self, limits: StateLimits) -> None:
        self._limits = limits
        self._entries: dict[str, StateEntry] = {}
        self._sizes: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def view(self) -> dict[str, StateEntry]:
        """Return all of it as it is now."""
        return dict(self._entries)

    def check(self, key: str, value: Any, *, if_version: int | None) -> int:
        """Return the size of the new value in bytes, or raise RequestError; `if_version` 0: only if it is not there."""
        entry = self._entries.get(key)
        version = 0 if entry is None else entry.version
        if if_version is not None and if_version != version:
            raise RequestError(ErrorCode.CONFLICT, f"{key!r} has version {version}, not {if_version}")
        size_bytes = check_json(value, bytes_max=STATE_VALUE_BYTES_MAX)
        if value is None:
            return size_bytes
        others = sum(size for other, size in self._sizes.items() if other != key)
        if entry is None and len(self._entries) >= self._limits.keys_max:
            raise RequestError(ErrorCode.TOO_LARGE, f"state has {self._limits.keys_max} keys already")
        if others + _entry_bytes(key, size_bytes) > self._limits.bytes_max:
            raise RequestError(ErrorCode.TOO_LARGE, f"state would be larger than {self._limits.bytes_max} bytes")
        return size_bytes

    def put(self, key: str, value: Any, *, version: int, size_bytes: int) -> None:
        """Keep a value that was checked."""
        if value is None:
            self._entries.pop(key, None)
            self._sizes.pop(key, None)
        else:
            self._entries[key] = StateEntry(value=value, version=version)
            self._sizes[key] = _entry_bytes(key, size_bytes)


def check_json(value: Any, *, bytes_max: int) -> int:
    """Return the size of a value as JSON in bytes; raises RequestError if it is too large or too deep."""
    if _deeper_than(value, JSON_DEPTH_MAX):
        raise RequestError(ErrorCode.TOO_LARGE, f"value is nested deeper than {JSON_DEPTH_MAX}")
    size_bytes = len(msgspec.json.encode(value))
    if size_bytes > bytes_max:
        raise RequestError(ErrorCode.TOO_LARGE, f"value is {size_bytes} bytes, at most {bytes_max} are taken")
    return size_bytes


def _entry_bytes(key: str, value_bytes: int) -> int:
    return len(key.encode()) + value_bytes


def _deeper_than(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(_deeper_than(each, levels - 1) for each in value)
