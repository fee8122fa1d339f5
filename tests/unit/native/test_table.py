"""The hash table of the data plane behaves as a dictionary does, however full its buckets are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.native.table import WordTable
from tests.oracle import table as oracle

words = st.integers(0, 3) | st.integers(0, 2**64 - 1)
operations = st.tuples(st.sampled_from(["put", "get", "remove"]), words, words, words, st.integers(1, 2**40))


@given(st.lists(operations, max_size=200), st.sampled_from([1, 2, 16, 4096]))
def test_equals_its_twin(steps: list[tuple[str, int, int, int, int]], buckets: int) -> None:
    native, twin = WordTable(buckets), oracle.WordTable()
    for name, key0, key1, key2, value in steps:
        if name == "put":
            native.put(key0, key1, key2, value)
            twin.put(key0, key1, key2, value)
        else:
            assert getattr(native, name)(key0, key1, key2) == getattr(twin, name)(key0, key1, key2)
        assert len(native) == len(twin)


def test_keys_that_differ_in_one_word_are_different() -> None:
    table = WordTable(1)
    table.put(1, 2, 3, 10)
    assert table.get(1, 2, 4) is table.get(1, 3, 3) is table.get(2, 2, 3) is None
    assert table.get(1, 2, 3) == 10
