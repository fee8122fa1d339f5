"""The archive: both formats, both languages, no formulas, the same bytes for the same content."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from lms.access.roles import Role
from lms.personal.archive import build_archive
from lms.personal.collect import Section

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ROW = {
    "id": UUID(int=1), "name": "=cmd()", "role": Role.STUDENT, "at": AT, "points": Decimal("9.5000"), "on": True,
    "none": None, "old": {"a": [1]},
}  # fmt: skip
SECTIONS = [Section("account", tuple(ROW), [ROW]), Section("roles", ("role",), [])]


def test_what_is_in_it() -> None:
    made = build_archive(SECTIONS, school="مدرسة النور", name="منى\nX", at=AT)
    assert made == build_archive(SECTIONS, school="مدرسة النور", name="منى\nX", at=AT)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    assert set(files) == {"README.txt", "account.json", "account.csv", "roles.json", "roles.csv"}
    assert "منى X" in files["README.txt"]
    assert "what is held on" in files["README.txt"]
    assert "account: 1\nroles: 0" in files["README.txt"]
    (told,) = json.loads(files["account.json"])
    assert (told["name"], told["points"], told["none"]) == ("=cmd()", "9.5000", None)
    (row,) = csv.DictReader(io.StringIO(files["account.csv"]))
    assert (row["name"], row["role"], row["on"], row["old"]) == ("'=cmd()", "student", "true", '{"a":[1]}')
    assert files["roles.csv"] == "role\r\n"
