"""The archive that somebody gets: each section as JSON and as CSV, and what it is, in both languages. Pure."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from lms.people.csv_file import safe
from lms.personal.collect import Section

MEDIA_TYPE: Final = "application/zip"
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel shows Arabic as rubbish

_README: Final = """\
{school}: what is held on {name}
Made at {at} (UTC). Each section is there twice, as JSON and as CSV (UTF-8). Ids are those of this service.
Text in CSV that a spreadsheet would take for a formula has an apostrophe before it.

{school}: البيانات المحفوظة عن {name}
أُعدّ في {at} (التوقيت العالمي). كل قسم موجود مرتين: بصيغة JSON وبصيغة CSV (UTF-8). المعرّفات هي معرّفات هذه الخدمة.
النص في ملفات CSV الذي قد يعدّه برنامج الجداول صيغة حسابية تسبقه فاصلة عليا.

{sections}
"""


def build_archive(sections: Sequence[Section], *, school: str, name: str, at: datetime) -> bytes:
    """Return the archive as a zip file; the same content gives the same bytes."""
    written = io.BytesIO()
    listed = "\n".join(f"{section.name}: {len(section.rows)}" for section in sections)
    stamp = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(file: str, content: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(file, stamp), content, zipfile.ZIP_DEFLATED)

        one_line = {"school": " ".join(school.split()), "name": " ".join(name.split())}
        add("README.txt", _README.format(**one_line, at=f"{at:%Y-%m-%d %H:%M}", sections=listed).encode())
        for section in sections:
            add(f"{section.name}.json", msgspec.json.format(msgspec.json.encode(section.rows), indent=2))
            add(f"{section.name}.csv", _csv(section))
    return written.getvalue()


def _csv(section: Section) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(section.columns)
    for row in section.rows:
        writer.writerow([_cell(row[name]) for name in section.columns])
    return (_BYTE_ORDER_MARK + written.getvalue()).encode()


def _cell(value: Any) -> str:
    plain = msgspec.to_builtins(value)
    match plain:
        case None:
            return ""
        case str():
            return safe(plain)
        case dict() | list():
            return safe(msgspec.json.encode(plain).decode())
        case bool() | int() | float():
            return msgspec.json.encode(plain).decode()
        case _:
            return safe(str(plain))
