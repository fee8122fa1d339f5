"""Tables of text and numbers as CSV and XLSX, the same bytes for the same content. Pure.

A cell that a spreadsheet would take for a formula is written so that it stays the text that it is: somebody may have
named themselves `=HYPERLINK(...)`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

import xlsxwriter

Cell: TypeAlias = str | int | Decimal | None

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n|%＝＋－＠")
"""OWASP's list for CSV injection, with the full-width signs that spreadsheets take for their ASCII twins."""
_BYTE_ORDER_MARK: Final = "\ufeff"  # else Excel reads Arabic as Latin
_CELL_CHARACTERS_MAX: Final = 32_767  # a limit of the format
_WIDTH_MIN: Final = 8
_WIDTH_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    made_at: datetime
    """Stands in the file's properties."""
    right_to_left: bool = False


def as_csv(table: Table) -> bytes:
    """Return it as CSV (RFC 4180) in UTF-8 with a byte order mark."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in (table.columns, *table.rows):
        writer.writerow([neutral(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in row])
    return (_BYTE_ORDER_MARK + text.getvalue()).encode()


def as_xlsx(table: Table) -> bytes:
    """Return it as an Excel workbook with one sheet."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(content, options)
    workbook.set_properties({"title": table.title, "created": table.made_at.replace(tzinfo=None)})
    sheet = workbook.add_worksheet()
    bold = workbook.add_format({"bold": True})
    if table.right_to_left:
        sheet.right_to_left()
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(table.columns):
        sheet.write_string(0, column, name, bold)
        longest = max((len(str(row[column] or "")) for row in table.rows), default=0)
        sheet.set_column(column, column, min(_WIDTH_MAX, max(_WIDTH_MIN, longest + 2, len(name) + 2)))
    for number, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, _printable(cell)[:_CELL_CHARACTERS_MAX])
            elif cell is not None:
                sheet.write_number(number, column, cell)
    workbook.close()
    return content.getvalue()


def neutral(text: str) -> str:
    """Return a text so that no spreadsheet calculates with it: with an apostrophe before what begins like a formula."""
    first, visible = text[:1], text.lstrip()[:1]
    return f"'{text}" if {first, visible} & _FORMULA_STARTS else text


def _printable(text: str) -> str:
    """Leave out control characters, which XML cannot hold."""
    return "".join(each for each in text if (each >= " " or each in "\t\n") and each not in "\ufffe\uffff")
