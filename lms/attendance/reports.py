"""Sheets and rates as tables for spreadsheets, in English and Arabic. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from lms.api.languages import Language
from lms.attendance.messages import AttendanceRow, AttendanceSheet, CourseAttendance, OtherRow
from lms.attendance.outcome import Status
from lms.attendance.spreadsheet import Cell, Table

_STATUS_WORDS: Final[Mapping[Status, tuple[str, str]]] = {
    Status.PRESENT: ("Present", "حاضر"),
    Status.LATE: ("Late", "متأخر"),
    Status.LEFT_EARLY: ("Left early", "غادر مبكرًا"),
    Status.PARTIAL: ("Partial", "حضور جزئي"),
    Status.ABSENT: ("Absent", "غائب"),
    Status.EXCUSED: ("Excused", "معذور"),
}
_EXTRA: Final = ("Not expected", "غير متوقع")

_SHEET_COLUMNS: Final = (
    ("Code", "الرمز"),
    ("Name", "الاسم"),
    ("Status", "الحالة"),
    ("Computed", "الحالة المحسوبة"),
    ("Present (s)", "مدة الحضور (ث)"),
    ("Percent", "النسبة المئوية"),
    ("First join", "أول دخول"),
    ("Last leave", "آخر خروج"),
    ("Joins", "مرات الدخول"),
    ("Late (s)", "التأخر (ث)"),
    ("Left early (s)", "الخروج المبكر (ث)"),
    ("Note", "ملاحظة"),
)
_RATE_COLUMNS: Final = (
    ("Code", "الرمز"),
    ("Name", "الاسم"),
    ("Classes", "الحصص"),
    *(_STATUS_WORDS[status] for status in _STATUS_WORDS),
    ("Rate %", "نسبة الحضور %"),
    ("Present (s)", "مدة الحضور (ث)"),
)


def sheet_table(sheet: AttendanceSheet, language: Language, zone: ZoneInfo) -> Table:
    """Return the sheet of a run; times are of the school's zone, which the headings name."""
    rows = [_member(row, language, zone) for row in sheet.members]
    rows += [_other(row, language, zone) for row in sheet.others]
    columns = [_word(each, language) for each in _SHEET_COLUMNS]
    for column in (6, 7):
        columns[column] += f" ({zone.key})"
    return Table(sheet.title, columns, rows, sheet.window_start, right_to_left=language is Language.ARABIC)


def course_table(course: CourseAttendance, language: Language, made_at: datetime) -> Table:
    """Return the rates of a course."""
    rows: list[list[Cell]] = [
        [
            row.code,
            row.name,
            row.expected,
            *(row.counts[status.value] for status in _STATUS_WORDS),
            row.rate,
            row.present_s,
        ]
        for row in course.students
    ]
    columns = [_word(each, language) for each in _RATE_COLUMNS]
    return Table(course.title, columns, rows, made_at, right_to_left=language is Language.ARABIC)


def status_word(status: Status, language: Language) -> str:
    """Return a status for people."""
    return _word(_STATUS_WORDS[status], language)


def _member(row: AttendanceRow, language: Language, zone: ZoneInfo) -> list[Cell]:
    return [
        row.code,
        row.name,
        status_word(row.status, language),
        status_word(row.computed, language),
        row.present_s,
        row.percent,
        _local(row.first_join, zone),
        _local(row.last_leave, zone),
        row.joins,
        row.late_s,
        row.early_s,
        row.override.reason if row.override is not None else row.excused_reason,
    ]


def _other(row: OtherRow, language: Language, zone: ZoneInfo) -> list[Cell]:
    came, went = _local(row.first_join, zone), _local(row.last_leave, zone)
    return [None, row.name, _word(_EXTRA, language), None, row.present_s, None, came, went, row.joins, None, None, None]


def _word(words: tuple[str, str], language: Language) -> str:
    return words[language is Language.ARABIC]


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return "" if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
