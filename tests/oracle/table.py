"""Twin of the native hash table: a dictionary."""

from __future__ import annotations


class WordTable:
    def __init__(self) -> None:
        self._values: dict[tuple[int, int, int], int] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, *key: int) -> int | None:
        return self._values.get((key[0], key[1], key[2]))

    def put(self, key0: int, key1: int, key2: int, value: int) -> None:
        self._values[key0, key1, key2] = value

    def remove(self, *key: int) -> bool:
        return self._values.pop((key[0], key[1], key[2]), None) is not None
