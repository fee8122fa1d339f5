"""The manual of the WebSocket tells the truth: its examples are read by the code, and nothing is left out of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import lms.chat.events
import lms.notifications.class_events
import lms.notifications.messages
from lms.api.rate_limits import RateLimitSettings
from lms.chat import spoken
from lms.live import events
from lms.live.channel import Changes
from lms.live.codes import CloseCode
from lms.live.events import Event
from lms.live.settings import LiveSettings
from lms.live.speech import Speech, Spoken
from lms.live.websocket import Auth, Ping, SetStatus
from lms.notifications.messages import ReadNotification

MANUAL = Path(events.__file__).with_name("protocol.md").read_text(encoding="utf-8")
EXAMPLES = {
    side: [line for block in re.findall(rf"```json {side}\n(.*?)```", MANUAL, re.DOTALL) for line in block.splitlines()]
    for side in ("client", "server")
}
_ = (lms.chat.events, lms.notifications.class_events, Changes)


def all_events() -> dict[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    waiting: list[type[Event]] = [Event]
    while waiting:
        shape = waiting.pop()
        waiting += shape.__subclasses__()
        tag = shape.__struct_config__.tag
        if isinstance(tag, str) and not shape.__subclasses__():
            found[tag] = shape
    return found


def all_said() -> dict[str, type[Spoken]]:
    speech = Speech()

    class Parts:
        live: Any = type("Live", (), {"speech": speech})()
        database = ids = None

    spoken.ChatSpeech(Parts()).add()  # type: ignore[arg-type]
    others: dict[str, type[Spoken]] = {
        "auth": Auth,
        "ping": Ping,
        "user:status": SetStatus,
        "notification:read": ReadNotification,
    }
    return {**speech.types, **others}


@pytest.mark.parametrize("line", EXAMPLES["server"])
def test_what_the_server_says_is_an_event_to_the_last_field(line: str) -> None:
    told = json.loads(line)
    shape = all_events()[told["type"]]
    event = msgspec.convert(told, shape)
    assert json.loads(events.encode_event(event)) == told


@pytest.mark.parametrize("line", EXAMPLES["client"])
def test_what_a_client_says_is_understood(line: str) -> None:
    said = json.loads(line)
    shape = all_said()[said.pop("type")]
    msgspec.convert(said, shape)


def test_nothing_is_left_out() -> None:
    assert {json.loads(line)["type"] for line in EXAMPLES["server"]} == set(all_events())
    assert {json.loads(line)["type"] for line in EXAMPLES["client"]} == set(all_said())
    for type_, shape in all_said().items():
        assert f"`{type_}`" in MANUAL
        assert all(f"`{field.name}`" in MANUAL for field in msgspec.structs.fields(shape)), type_
    assert all(f"| {code.value} | `{code.name}` |" in MANUAL for code in CloseCode)


def test_numbers_are_those_of_the_code() -> None:
    live, rates = LiveSettings(), RateLimitSettings()
    assert f"{rates.live_per_minute} a minute" in MANUAL
    assert f"{rates.chat_per_minute} of them messages" in MANUAL
    assert f"{live.rooms} rooms at a time" in MANUAL
    assert f"({live.replayed_changes} changes of one room)" in MANUAL
    assert f"every {live.heartbeat_s:g} seconds" in MANUAL
    assert f"{live.queued_messages} frames" in MANUAL
    assert (live.connections_per_user, live.auth_timeout_s, live.offline_after_s) == (10, 10, 5)
