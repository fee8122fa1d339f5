"""A log line is one line: time, level, place, constant message, fields; as text or as a JSON object."""

from __future__ import annotations

import json
import logging
import sys

from control_api.logs import FieldsFormatter, JsonFormatter


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


def json_line(**fields: object) -> dict[str, object]:
    record = logging.LogRecord("signaling.room", logging.INFO, __file__, 1, "joined", None, None)
    record.created, record.msecs = 0.0, 7.0
    vars(record).update(fields)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    read = json.loads(text)
    assert isinstance(read, dict)
    return read


def test_json_has_fields_with_their_types() -> None:
    assert json_line(room="جبر", tracks=2, loss=0.25, hidden=False, because=None, codecs=("VP8", "opus")) == {
        "at": "1970-01-01T00:00:00.007Z",
        "level": "info",
        "logger": "signaling.room",
        "message": "joined",
        "room": "جبر",
        "tracks": 2,
        "loss": 0.25,
        "hidden": False,
        "because": None,
        "codecs": ["VP8", "opus"],
    }


def test_json_fields_cannot_forge_lines_or_places() -> None:
    read = json_line(level="critical", at="never", room='a"}\n{"level": "error"')
    assert (read["level"], read["at"]) == ("info", "1970-01-01T00:00:00.007Z")
    assert (read["level_"], read["at_"]) == ("critical", "never")
    assert read["room"] == 'a"}\n{"level": "error"'


def test_json_holds_what_json_has() -> None:
    read = json_line(ratio=float("nan"), most=float("inf"), where=object, deep={"a": [float("nan")]})
    assert (read["ratio"], read["most"], read["deep"]) == ("nan", "inf", {"a": ["nan"]})


def test_json_holds_the_traceback() -> None:
    try:
        raise ValueError("boom")
    except ValueError:
        assert str(json_line(exc_info=sys.exc_info())["exception"]).endswith("ValueError: boom")
