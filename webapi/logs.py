"""How log lines look: text for a terminal (time, level, place, message, key=value), a JSON object a line for programs.

Fields are what tells lines apart: room, participant and identity are ids that the programs around Halqa gave. Names of
people, tokens, addresses and SDP are in no line; who writes a log call keeps them out.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from collections.abc import Iterator
from typing import Final, Literal

# What every record has; the rest came in as `extra` and are the fields.
_OWN_ATTRIBUTES: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    "message",
    "asctime",
    "taskName",
}
_JSON_NUMBERS: Final = (bool, int, float, type(None))


class FieldsFormatter(logging.Formatter):
    """Writes one record as one line of text, plus the traceback of an exception."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the standard library's
        fields = (f" {name}={_text(value)}" for name, value in _fields(record))
        return super().formatMessage(record) + "".join(fields)


class JsonFormatter(logging.Formatter):
    """Writes one record as one JSON object: `at`, `level`, `logger`, `message`, the fields, and `exception` if any.

    A field that would take the place of one of these has an underscore behind its name.
    """

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in _fields(record):
            line[f"{name}_" if name in line or name == "exception" else name] = _plain(value)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logs(level: str, form: Literal["auto", "text", "json"] = "auto") -> None:
    """Send log records of `level` and above to standard error."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    stream = logging.StreamHandler()
    stream.setFormatter(JsonFormatter() if as_json else FieldsFormatter())
    logging.basicConfig(level=level.upper(), handlers=[stream], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)  # at DEBUG it tells which selector it uses


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES)


def _plain(value: object) -> object:
    """Return a value that JSON has; NaN and infinity, which it has not, as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, _JSON_NUMBERS):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)


def _text(value: object) -> str:
    """Return a value on one line; quoted where a reader could not tell where it ends."""
    text = str(value)
    return text if text and text.isprintable() and not set(text) & set(' "=') else json.dumps(text, ensure_ascii=False)
