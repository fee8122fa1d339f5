"""How log lines look: time, level, place, a constant message, then the fields as key=value."""

from __future__ import annotations

import json
import logging
import time
from typing import Final

LEVELS: Final = ("debug", "info", "warning", "error")

# What every record has; the rest came in as `extra` and are the fields.
_OWN_ATTRIBUTES: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    "message",
    "asctime",
    "taskName",
}


class FieldsFormatter(logging.Formatter):
    """Writes one record as one line, plus the traceback of an exception."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the standard library's
        fields = (f" {name}={_text(value)}" for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES)
        return super().formatMessage(record) + "".join(fields)


def configure_logs(level: str) -> None:
    """Send log records of `level` and above to standard error."""
    stream = logging.StreamHandler()
    stream.setFormatter(FieldsFormatter())
    logging.basicConfig(level=level.upper(), handlers=[stream], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)  # at DEBUG it tells which selector it uses


def _text(value: object) -> str:
    """Return a value on one line; quoted where a reader could not tell where it ends."""
    text = str(value)
    return text if text and text.isprintable() and not set(text) & set(' "=') else json.dumps(text, ensure_ascii=False)
