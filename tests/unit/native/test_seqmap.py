"""Runs of equal offset answer like a dictionary of all numbers would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.seqmap import RunTable
from tests.oracle import seqmap as oracle

lengths = st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(0, 5))


@given(st.lists(lengths, min_size=1, max_size=90), st.sampled_from([1, 127, 32767, 65530]))
def test_equals_its_twin(runs: list[tuple[int, int, int]], first_output: int) -> None:
    native, twin = RunTable(), oracle.RunTable()
    ends = {0: 65536, 1: 131072, 2: 65536 * 7}
    output = first_output
    for source, length, left_out in runs:
        first = ends[source] + left_out
        ends[source] = first + length
        for table in (native, twin):
            table.open(source, first, first - output)
            table.close(ends[source])
        output += length
    for number in range(first_output - 3, output + 3):
        assert native.by_output(number) == twin.by_output(number)
    for source, end in ends.items():
        for extended in range(end - 30, end + 2):
            assert native.by_source(source, extended) == twin.by_source(source, extended)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60_000)), max_size=100))
def test_resends_are_spaced(asked: list[tuple[int, int]]) -> None:
    native, twin = RunTable(), oracle.RunTable()
    now_us = 1
    for number, pause_us in asked:
        now_us += pause_us
        assert native.may_resend(number, now_us, 40_000) == twin.may_resend(number, now_us, 40_000)


def test_table_of_tests_keeps_its_contract() -> None:
    table = RunTable()
    with pytest.raises(ValueError, match="no run"):
        table.close(5)
    table.open(0, 10, 3)
    with pytest.raises(ValueError, match="close the present run"):
        table.open(0, 20, 3)
    assert table.by_output(10**6) == (0, 10**6 + 3), "an open run has no end"
