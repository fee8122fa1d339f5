"""People as a CSV file: reading with every fault named by its line, writing without formulas. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from lms.api.phrases import Phrase
from lms.people.messages import CreateUser, User
from webapi.read import Fault, UnreadableError, convert

COLUMNS: Final = (
    "code", "name", "email", "external_id", "phone", "given_name", "family_name", "language", "time_zone", "roles"
)  # fmt: skip
"""Those that a file may have; `name` it must."""
MORE_COLUMNS: Final = ("status", "created_at", "last_login_at")
"""Those that an export has beside them; an import passes them over."""
FILE_BYTES_MAX: Final = 2 << 20
LINES_MAX: Final = 5000

_FORMULA: Final = re.compile(r"^'*\s*[=+\-@＝＋－＠]|^'*[\t\r]")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel shows Arabic as rubbish


class FileFault(Exception):
    """A file of which no line can be read; the phrase says what was expected."""

    def __init__(self, english: str, arabic: str) -> None:
        super().__init__(english)
        self.phrase = Phrase(english, arabic)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that was read, or why not."""

    number: int
    user: CreateUser | None
    given: frozenset[str]
    """Columns that are not empty: only those change an account that there is."""
    fault: UnreadableError | None = None


def read_lines(content: bytes) -> list[Line]:
    """Return the lines of a file; raises FileFault."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFault(
            f"UTF-8, which it is not at byte {error.start}", f"ترميز UTF-8، وليس كذلك عند البايت {error.start}"
        ) from None
    if "\0" in text:
        raise FileFault("text without U+0000", "نص بلا المحرف U+0000")
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [each.strip().lower() for each in next(reader, [])]
        _check_columns(names)
        lines: list[Line] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(lines) >= LINES_MAX:
                raise FileFault(f"at most {LINES_MAX} lines", f"{LINES_MAX} سطر على الأكثر")
            lines.append(_line(reader.line_num, names, cells))
    except csv.Error:
        raise FileFault(
            f"CSV, which line {reader.line_num} is not", f"صيغة CSV، والسطر {reader.line_num} ليس كذلك"
        ) from None
    return lines


def write_lines(users: Iterable[User]) -> bytes:
    """Return the file of these people; what a spreadsheet would take for a formula has an apostrophe before it."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *MORE_COLUMNS])
    for user in users:
        values: dict[str, Any] = msgspec.to_builtins(user)
        values["roles"] = " ".join(values["roles"])
        writer.writerow(["" if values[name] is None else safe(str(values[name])) for name in COLUMNS + MORE_COLUMNS])
    return (_BYTE_ORDER_MARK + written.getvalue()).encode()


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.search(cell) else cell


def unsafe(cell: str) -> str:
    """Return what `safe` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.search(cell) else cell


def _check_columns(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in {*COLUMNS, *MORE_COLUMNS}]
    if unknown:
        known = ", ".join(COLUMNS)
        shown = unknown[0][:100]
        raise FileFault(f'the columns {known}; "{shown}" is none of them', f"الأعمدة {known}؛ وليس «{shown}» منها")
    if "name" not in names:
        raise FileFault("a column name", "عمود باسم name")
    if len(set(names)) < len(names):
        raise FileFault("each column once", "كل عمود مرة واحدة")


def _line(number: int, names: Sequence[str], cells: Sequence[str]) -> Line:
    values: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        text = unsafe(cell.strip())
        if text and name in COLUMNS:
            values[name] = text
    if "roles" in values:
        values["roles"] = values["roles"].lower().replace(",", " ").split()
    given = frozenset(values)
    try:
        if len(cells) > len(names):
            wanted = f"{len(names)} cells"
            raise UnreadableError(Fault.FIELD, "", field="line", value=len(cells), expected=wanted, rule="length")
        return Line(number, convert(values, CreateUser, strict=True), given)
    except UnreadableError as error:
        return Line(number, None, given, error)
