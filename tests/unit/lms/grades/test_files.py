"""Files of grades: what comes back of what was written, what teachers type, and what no spreadsheet may run."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.grades.cells import CellError, CellFault, read_score, read_text, write_score, write_text
from lms.grades.spreadsheet import (
    COLUMNS_MAX,
    LINES_MAX,
    Change,
    FileError,
    fingerprint_of,
    match_columns,
    read_sheet,
    title_key,
    write_sheet,
)
from lms.grades.total import GradeState, Score

TEN = Decimal(10)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def graded(points: str) -> Score:
    return Score(GradeState.GRADED, Decimal(points))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n", " =1", "'=1", "＝1", "－1"])
def test_formulas_are_neutralized(text: str) -> None:
    assert write_text(text) == f"'{text}"
    assert read_text(write_text(text)) == text


@given(texts)
def test_texts_come_back(text: str) -> None:
    written = write_text(text)
    assert read_text(written) == text
    assert not written.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("cell", "score"),
    [
        ("7.5", graded("7.5")),
        (" 10 ", graded("10")),
        ("0", graded("0")),
        ("0.0001", graded("0.0001")),
        ("٧٫٥", graded("7.5")),
        ("۷", graded("7")),
        ("", None),
        ("  ", None),
        ("Excused", Score(GradeState.EXCUSED)),
        ("EX", Score(GradeState.EXCUSED)),
        ("معذور", Score(GradeState.EXCUSED)),
        ("missing", Score(GradeState.MISSING)),
        ("-", Score()),
        ("'-", Score()),
    ],
)
def test_cells(cell: str, score: Score | None) -> None:
    assert read_score(cell, TEN) == score


@pytest.mark.parametrize(
    "cell", ["x", "1e1", "-1", "+1", "7,5", "1.00001", "NaN", "Infinity", "=7", "1 2", "0x1", "²", "1_0", "100000000"]
)
def test_cells_that_are_no_grades(cell: str) -> None:
    with pytest.raises(CellError) as raised:
        read_score(cell, TEN)
    assert raised.value.fault is CellFault.NOT_POINTS


def test_decimal_comma_and_too_many() -> None:
    assert read_score("7,5", TEN, comma=True) == graded("7.5")
    with pytest.raises(CellError) as raised:
        read_score("10.0001", TEN)
    assert raised.value.fault is CellFault.TOO_MANY_POINTS


@given(
    st.one_of(
        st.builds(lambda value: Score(GradeState.GRADED, value), st.decimals(0, 10, places=4)),
        st.sampled_from([Score(GradeState.EXCUSED), Score(GradeState.MISSING)]),
    )
)
def test_scores_come_back(score: Score) -> None:
    assert read_score(write_score(score), TEN) == score


@given(st.lists(st.tuples(texts.filter(str.strip), texts), max_size=5), st.sampled_from([",", ";", "\t"]))
def test_sheets_come_back(people: list[tuple[str, str]], separator: str) -> None:
    titles = ["Quiz 1", "=Essay, long", "واجب ١"]
    content = write_sheet(titles, [[code, name, "1", "excused", "", "50.00"] for code, name in people])
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    again = io.StringIO(newline="")
    csv.writer(again, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
    if again.getvalue().partition("\n")[0].count(separator) < len(rows[0]) - 1:
        return
    sheet = read_sheet(again.getvalue().encode())
    assert sheet.comma == (separator != ",")
    assert [line.code for line in sheet.lines] == [read_text(write_text(code).strip()).strip() for code, _ in people]
    columns = match_columns(sheet, {title_key(title): title for title in titles})
    assert list(columns.values()) == titles
    assert all(line.cells[2:5] == ["1", "excused", ""] for line in sheet.lines)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n\n", "it is empty"),
        (b"student_code\xff", "it is not UTF-8 at byte 12"),
        (b"student_code\0", "U+0000"),
        (b"name,Quiz\n", "no column student_code"),
        (b"student_code,Quiz,quiz\n", '"quiz" heads two columns'),
        (b"student_code,,Quiz\n", "column 2 has no head"),
        (b"student_code,Quiz\nA,1,2\n", "line 2 has more cells"),
        (b'student_code,Quiz\nA,"1', "line 2"),
        (b"student_code" + b"\nA" * (LINES_MAX + 2), f"more than {LINES_MAX} lines"),
        (b"student_code," + b",".join(b"c%d" % each for each in range(COLUMNS_MAX)), "columns"),
    ],
)
def test_files_that_are_no_tables(content: bytes, reason: str) -> None:
    with pytest.raises(FileError) as raised:
        read_sheet(content)
    assert reason in raised.value.phrase.english
    assert raised.value.phrase.arabic


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    try:
        read_sheet(content)
        read_sheet(b"student_code,Quiz\n" + content)
    except FileError:
        pass


def test_lines_are_numbered_as_in_the_file() -> None:
    sheet = read_sheet(b'student_code,Quiz\r\n\r\n"A\r\nB",1\r\nC,2\r\n')
    assert [(line.number, line.code) for line in sheet.lines] == [(3, "A\r\nB"), (5, "C")]


def test_unknown_column() -> None:
    with pytest.raises(FileError, match="no item of the course"):
        match_columns(read_sheet(b"student_code,Quiz 9\n"), {"quiz 1": 1})


def test_fingerprint_is_of_the_changes() -> None:
    change = Change(UUID(int=1), UUID(int=2), 1, graded("5"))
    other = Change(UUID(int=1), UUID(int=3), 1, graded("5"))
    assert fingerprint_of([change, other]) == fingerprint_of([other, change])
    newer = Change(UUID(int=1), UUID(int=2), 2, graded("5"))
    assert len({fingerprint_of(each) for each in ([change], [newer], [other], [])}) == 4
