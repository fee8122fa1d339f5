"""Files of grades: a line for each student, a column for each item, as spreadsheets write and read them. Pure.

    student_code,student_name,Quiz 1,Essay,total
    STU1001,Muna,7.5,excused,75.00

`student_name` and `total` are for people; reading takes no notice of them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from lms.api.phrases import Phrase
from lms.grades.amounts import plain_or_none
from lms.grades.cells import read_text, write_text
from lms.grades.total import Score

CODE: Final = "student_code"
NAME: Final = "student_name"
TOTAL: Final = "total"
FOR_PEOPLE: Final = frozenset({NAME, TOTAL})
RESERVED: Final = frozenset({CODE, NAME, TOTAL})
"""No item may be called so."""

FILE_BYTES_MAX: Final = 1 << 20
LINES_MAX: Final = 2000
COLUMNS_MAX: Final = 310
"""As many as a course has items, and those for people."""
CHANGES_MAX: Final = 5000
"""Of one file: a second of the one writer that SQLite has."""

_SEPARATORS: Final = ",;\t"
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel shows Arabic as rubbish

ItemT = TypeVar("ItemT")


class FileError(Exception):
    """A file that is no table of grades; why, in both languages."""

    def __init__(self, english: str, arabic: str) -> None:
        super().__init__(english)
        self.phrase = Phrase(english, arabic)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what stands under each column."""

    number: int
    """In the file, from 1."""
    code: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as it was read."""

    columns: Sequence[str]
    """Heads, all of them; `Line.cells` has as many."""
    lines: Sequence[Line]
    comma: bool
    """Whether a comma in a number is its decimal separator."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a file asks for in one cell, over the version that was there."""

    item_id: UUID
    user_id: UUID
    version: int
    score: Score


def title_key(title: str) -> str:
    """Return the form in which two titles are the same."""
    return " ".join(unicodedata.normalize("NFKC", title).casefold().split())


def write_sheet(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a file; each row is code, name, one cell for each title, and total. Texts are made safe here."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([CODE, NAME, *map(write_text, titles), TOTAL])
    for code, name, *cells in rows:
        writer.writerow([write_text(code), write_text(name), *cells])
    return (_BYTE_ORDER_MARK + written.getvalue()).encode()


def read_sheet(content: bytes) -> Sheet:
    """Return what is in a file; raises FileError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(
            f"it is not UTF-8 at byte {error.start}", f"ليس بترميز UTF-8 عند البايت {error.start}"
        ) from None
    if "\0" in text:
        raise FileError("it contains U+0000", "يحتوي على المحرف U+0000")
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((begins, row))
            begins = reader.line_num + 1
            if len(rows) > LINES_MAX + 1:
                raise FileError(f"it has more than {LINES_MAX} lines", f"يحتوي على أكثر من {LINES_MAX} سطر")
    except csv.Error:
        raise FileError(f"line {reader.line_num} is not CSV", f"السطر {reader.line_num} ليس بصيغة CSV") from None
    if not rows:
        raise FileError("it is empty", "الملف فارغ")
    columns = [read_text(cell.strip()).strip() for cell in rows[0][1]]
    while columns and not columns[-1]:
        columns.pop()
    _check_columns(columns)
    at = [title_key(each) for each in columns].index(CODE)
    return Sheet(columns, [_line(number, row, columns, at) for number, row in rows[1:]], comma=separator != ",")


def match_columns(sheet: Sheet, items: Mapping[str, ItemT]) -> dict[int, ItemT]:
    """Return which item each column has, by its index; `items` by title key. Raises FileError for an unknown one."""
    found: dict[int, ItemT] = {}
    for index, column in enumerate(sheet.columns):
        key = title_key(column)
        if key == CODE or key in FOR_PEOPLE:
            continue
        if key not in items:
            shown = column[:100]
            raise FileError(f'"{shown}" is no item of the course', f"«{shown}» ليس عنصرًا في المقرر")
        found[index] = items[key]
    return found


def fingerprint_of(changes: Iterable[Change]) -> str:
    """Return what stands for exactly these changes of exactly these versions."""
    told = sorted(
        (str(each.item_id), str(each.user_id), each.version, each.score.state.value, plain_or_none(each.score.points))
        for each in changes
    )
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def _separator(text: str) -> str:
    """Return what tells the columns of the head apart: whichever there is most of."""
    head = text.partition("\n")[0]
    return max(_SEPARATORS, key=lambda each: (head.count(each), -_SEPARATORS.index(each)))


def _check_columns(columns: Sequence[str]) -> None:
    keys = [title_key(each) for each in columns]
    if CODE not in keys:
        raise FileError(f"it has no column {CODE}", f"لا يوجد عمود باسم {CODE}")
    if len(keys) > COLUMNS_MAX:
        raise FileError(f"it has more than {COLUMNS_MAX} columns", f"يحتوي على أكثر من {COLUMNS_MAX} عمود")
    for index, key in enumerate(keys):
        shown = columns[index][:100]
        if not key:
            raise FileError(f"column {index + 1} has no head", f"العمود {index + 1} بلا عنوان")
        if key in keys[:index]:
            raise FileError(f'"{shown}" heads two columns', f"العنوان «{shown}» مكرر")


def _line(number: int, row: Sequence[str], columns: Sequence[str], at: int) -> Line:
    if any(cell.strip() for cell in row[len(columns) :]):
        raise FileError(f"line {number} has more cells than the head", f"السطر {number} فيه خلايا أكثر من العناوين")
    cells = [*row[: len(columns)], *[""] * (len(columns) - len(row))]
    return Line(number, read_text(cells[at].strip()).strip(), cells)
