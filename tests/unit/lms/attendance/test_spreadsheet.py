"""Files for spreadsheets: texts stay texts, Arabic stays Arabic, and the same content is the same bytes."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.attendance.spreadsheet import Cell, Table, as_csv, as_xlsx, neutral

MADE_AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def table(rows: list[list[Cell]], *, right_to_left: bool = False) -> Table:
    return Table("Lesson", ["Name", "Percent"], rows, MADE_AT, right_to_left)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "|calc", "%0"])
def test_what_would_calculate_is_neutralised(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Amal", "منى", "a=b", "7-8", "'x"])
def test_other_texts_stay(text: str) -> None:
    assert neutral(text) == text


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), max_size=5))
def test_csv_is_read_as_it_was_written(names: list[str]) -> None:
    content = as_csv(table([[name, Decimal("12.50")] for name in names])).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert rows == [["Name", "Percent"], *([neutral(name), "12.50"] for name in names)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_xlsx_is_xml_without_formulas(names: list[str]) -> None:
    content = as_xlsx(table([[name, 7] for name in names]))
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for name in book.namelist():
            root = ET.fromstring(book.read(name))
            assert not list(root.iter(f"{SPREADSHEET}f")), name


def test_arabic_runs_from_right_to_left_and_numbers_are_numbers() -> None:
    with zipfile.ZipFile(io.BytesIO(as_xlsx(table([["منى", Decimal("99.50")]], right_to_left=True)))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "منى" in book.read("xl/sharedStrings.xml").decode()
    assert 'rightToLeft="1"' in sheet
    assert "<v>99.50</v>" in sheet or "<v>99.5</v>" in sheet


def test_the_same_content_is_the_same_bytes() -> None:
    one, other = (table([["Amal", Decimal("99.50")], [None, 3]]) for _ in range(2))
    assert as_xlsx(one) == as_xlsx(other)
    assert as_csv(one) == as_csv(other)
