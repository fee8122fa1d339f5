"""The manual and the code say the same: every code has its line, with its status."""

from __future__ import annotations

import re
from pathlib import Path

import signaling
from signaling.codes import HTTP_STATUS, ErrorCode
from signaling.whip.refusals import STATUS

MANUAL = (Path(signaling.__file__).parent / "whip.md").read_text()
ROWS = {
    code: int(status)
    for status, codes in re.findall(r"^\| (\d{3}) \| (.*?) \|", MANUAL, re.MULTILINE)
    for code in re.findall(r"`(\w+)`", codes)
}


def test_every_code_stands_in_the_manual_with_its_status() -> None:
    assert {code.value: status for code, status in STATUS.items()}.items() <= ROWS.items()


def test_the_manual_has_no_other_codes() -> None:
    own = {code.value for code in STATUS}
    for code, status in ROWS.items():
        assert code in own or HTTP_STATUS[ErrorCode(code)] == status
