"""One cell of a file of grades: what a teacher may type, and what is safe to open in a spreadsheet. Pure."""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from lms.grades.amounts import plain
from lms.grades.total import GradeState, Score

EXCUSED: Final = "excused"
MISSING: Final = "missing"
NOT_GRADED: Final = "-"

_WORDS: Final[Mapping[str, GradeState]] = {
    EXCUSED: GradeState.EXCUSED,
    "ex": GradeState.EXCUSED,
    "معذور": GradeState.EXCUSED,
    MISSING: GradeState.MISSING,
    "ناقص": GradeState.MISSING,
    NOT_GRADED: GradeState.NONE,
}

# The wide forms of the signs work, too.
_FORMULA: Final = re.compile(r"^'*[\s]*[=+\-@＝＋－＠]|^'*[\t\r\n]")
_NUMBER: Final = re.compile(r"[0-9]{1,5}([.][0-9]{1,4})?")
_ARABIC_SEPARATOR: Final = "٫"


class CellFault(enum.Enum):
    """Why a cell cannot be taken."""

    NOT_POINTS = "not_points"
    TOO_MANY_POINTS = "too_many_points"
    LOCKED = "locked"
    UNKNOWN_STUDENT = "unknown_student"
    STUDENT_TWICE = "student_twice"
    TOO_MANY_CELLS = "too_many_cells"


class CellError(Exception):
    """A cell that cannot be taken."""

    def __init__(self, fault: CellFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def write_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stands before what begins like one."""
    return f"'{text}" if _FORMULA.search(text) else text


def read_text(cell: str) -> str:
    """Return the text that `write_text` wrote."""
    return cell[1:] if cell.startswith("'") and _FORMULA.search(cell) else cell


def write_score(score: Score) -> str:
    """Return a grade as it stands in a cell; without a grade nothing."""
    match score.state:
        case GradeState.GRADED:
            assert score.points is not None, "what is graded has points"
            return plain(score.points)
        case GradeState.EXCUSED:
            return EXCUSED
        case GradeState.MISSING:
            return MISSING
        case GradeState.NONE:
            return ""


def read_score(cell: str, max_points: Decimal, *, comma: bool = False) -> Score | None:
    """Return the grade in a cell, None of an empty one: that changes nothing. Raises CellError.

    Digits may be Arabic; with `comma`, in files of which the columns are not told apart by commas, 7,5 is 7.5.
    """
    text = read_text(cell.strip()).strip().casefold()
    if not text:
        return None
    if text in _WORDS:
        return Score(_WORDS[text])
    digits = "".join(_digit(each) for each in text).replace(_ARABIC_SEPARATOR, ".")
    if comma:
        digits = digits.replace(",", ".")
    if _NUMBER.fullmatch(digits) is None:
        raise CellError(CellFault.NOT_POINTS)
    points = Decimal(digits)
    if points > max_points:
        raise CellError(CellFault.TOO_MANY_POINTS)
    return Score(GradeState.GRADED, points)


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
