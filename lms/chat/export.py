"""A room as a file: CSV for spreadsheets, in which no text becomes a formula, or JSON. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from lms.chat.messages import Message

COLUMNS: Final = (
    "seq", "created_at", "sender_id", "sender_name", "body", "reply_to", "edited_at", "deleted_at", "reactions",
)  # fmt: skip
_FORMULA: Final = re.compile(r"^'*\s*[=+\-@＝＋－＠]|^'*[\t\r\n]")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel shows Arabic as rubbish


def write_csv(messages: Sequence[Message]) -> bytes:
    """Return a line for each message."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for each in messages:
        reactions = " ".join(f"{reaction.emoji}{reaction.count}" for reaction in each.reactions)
        writer.writerow(
            [
                each.seq, each.created_at.isoformat(), each.sender_id or "", _safe(each.sender_name or ""),
                _safe(each.body), each.reply_to or "", _time(each.edited_at), _time(each.deleted_at), _safe(reactions),
            ]
        )  # fmt: skip
    return (_BYTE_ORDER_MARK + written.getvalue()).encode()


def write_json(title: str, messages: Sequence[Message]) -> bytes:
    """Return the messages as they are told by HTTP."""
    return msgspec.json.format(msgspec.json.encode({"title": title, "messages": messages}), indent=1)


def _safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.search(text) else text


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()
