"""A log line is one line: time, level, place, constant message, fields."""

from __future__ import annotations

import logging
import sys

from control_api.logs import FieldsFormatter


def line(message: str, **fields: object) -> str:
    record = logging.LogRecord("signaling.room", logging.INFO, __file__, 1, message, None, None)
    record.created, record.msecs = 0.0, 7.0
    vars(record).update(fields)
    return FieldsFormatter().format(record)


def test_fields_follow_the_message() -> None:
    assert (
        line("joined", room="algebra", tracks=2)
        == "1970-01-01T00:00:00.007Z INFO signaling.room: joined room=algebra tracks=2"
    )


def test_fields_cannot_forge_lines_or_fields() -> None:
    assert line("joined", room='a b="c\n2026 ERROR x').endswith('joined room="a b=\\"c\\n2026 ERROR x"')
    assert line("joined", room="").endswith('joined room=""')


def test_traceback_follows() -> None:
    try:
        raise ValueError("boom")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    assert FieldsFormatter().format(record).splitlines()[-1] == "ValueError: boom"
