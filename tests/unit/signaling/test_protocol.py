"""Bytes to messages: every example of the manual, and everything hostile."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.parameters import MediaKind
from signaling import client_messages
from signaling.client_messages import SDP_CHARACTERS_MAX, AnyClientMessage
from signaling.codes import HTTP_STATUS, CloseCode, ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import Source, TrackId
from signaling.protocol import (
    REASON_CHARACTERS_MAX,
    decode_client_message,
    decode_server_message,
    encode_message,
    peek_request_id,
)
from signaling.server_messages import AnyServerMessage, Error, TrackView

MANUAL = Path(client_messages.__file__).with_name("protocol.md").read_text()
EXAMPLES = {
    side: [line for block in re.findall(rf"```json {side}\n(.*?)```", MANUAL, re.DOTALL) for line in block.splitlines()]
    for side in ("client", "server", "token")
}


@pytest.mark.parametrize("example", EXAMPLES["client"])
def test_the_client_examples_of_the_manual_are_understood(example: str) -> None:
    message = decode_client_message(example.encode())
    assert decode_client_message(msgspec.json.encode(message)) == message


@pytest.mark.parametrize("example", EXAMPLES["server"])
def test_the_server_examples_of_the_manual_are_what_is_written(example: str) -> None:
    assert json.loads(encode_message(decode_server_message(example.encode()))) == json.loads(example)


@pytest.mark.parametrize(("side", "messages"), [("client", AnyClientMessage), ("server", AnyServerMessage)])
def test_the_manual_has_an_example_of_every_message(side: str, messages: object) -> None:
    tags = {each.__struct_config__.tag for each in get_args(messages)}
    assert {json.loads(example)["type"] for example in EXAMPLES[side]} == tags
    assert all(f"\n### {tag}\n" in MANUAL for tag in tags)


def test_the_manual_names_every_code() -> None:
    assert not [code.value for code in ErrorCode if f"`{code.value}`" not in MANUAL]
    assert not [code for code in CloseCode if f"| {code.value} |" not in MANUAL]
    assert set(HTTP_STATUS) == set(ErrorCode)
    for code, status in HTTP_STATUS.items():
        refused_upgrade, error = rf"\| {status} \| .*`{code.value}`", rf"\| [^|]*`{code.value}`[^|]* \| {status} \|"
        assert re.search(f"{refused_upgrade}|{error}", MANUAL), code


HOSTILE = {
    "nothing": b"",
    "no JSON": b"hello",
    "no object": b"[]",
    "null": b"null",
    "half": b'{"type":"ping","t":1',
    "two": b'{"type":"ping","t":1}{"type":"ping","t":1}',
    "no type": b'{"t":1}',
    "unknown type": b'{"type":"destroy"}',
    "a type of the server": b'{"type":"joined"}',
    "type is no text": b'{"type":7}',
    "type is long": b'{"type":"' + b"x" * 100_000 + b'"}',
    "unknown field": b'{"type":"leave","why":"bored"}',
    "unknown field inside": b'{"type":"join","offer":"v","slots":[{"mid":"0","kind":"audio","volume":11}]}',
    "wrong type": b'{"type":"mute","track":5,"muted":true}',
    "no coercion": b'{"type":"mute","track":"t","muted":"true"}',
    "missing field": b'{"type":"mute","track":"t"}',
    "unknown source": b'{"type":"publish","mid":"0","source":"brain"}',
    "unknown kind": b'{"type":"join","offer":"v","slots":[{"mid":"0","kind":"smell"}]}',
    "negative id": b'{"type":"leave","id":-1}',
    "id beyond JavaScript": b'{"type":"leave","id":9007199254740992}',
    "id with a fraction": b'{"type":"leave","id":1.5}',
    "huge number": b'{"type":"ping","t":' + b"9" * 100_000 + b"}",
    "not a number": b'{"type":"ping","t":NaN}',
    "infinite": b'{"type":"ping","t":1e999}',
    "not UTF-8": b'{"type":"unpublish","track":"\xff\xfe"}',
    "overlong UTF-8": b'{"type":"unpublish","track":"\xc0\xaf"}',
    "half of a surrogate pair": b'{"type":"unpublish","track":"\\ud800\\ud800"}',
    "surrogate in UTF-8": b'{"type":"unpublish","track":"\xed\xa0\x80"}',
    "deep arrays": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"type":"leave"}',
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "empty mid": b'{"type":"publish","mid":"","source":"camera"}',
    "long mid": b'{"type":"publish","mid":"' + b"1" * 33 + b'","source":"camera"}',
    "no height": b'{"type":"publish","mid":"1","source":"camera","height":0}',
    "height beyond": b'{"type":"view","slots":[{"mid":"1","height":16385}]}',
    "no frames": b'{"type":"view","slots":[{"mid":"1","frame_rate":0}]}',
    "no slots": b'{"type":"view","slots":[]}',
    "too many slots": b'{"type":"view","slots":[' + b",".join([b'{"mid":"1"}'] * 65) + b"]}",
    "too long an offer": b'{"type":"offer","sdp":"' + b"v" * (SDP_CHARACTERS_MAX + 1) + b'"}',
    "empty offer": b'{"type":"offer","sdp":""}',
    "unknown role": b'{"type":"send","body":1,"to":{"roles":["king"]}}',
    "neither all nor some": b'{"type":"send","body":1,"to":"everyone"}',
    "a sender of one's own choice": b'{"type":"send","body":1,"participant":"p2"}',
    "no body": b'{"type":"send"}',
    "deep body": b'{"type":"send","body":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "body is not UTF-8": b'{"type":"send","body":"\xff"}',
    "half of a pair in a body": b'{"type":"send","body":"\\ud800"}',
    "too many are named": b'{"type":"send","body":1,"to":{"participants":[' + b",".join([b'"p"'] * 101) + b"]}}",
    "long topic": b'{"type":"send","body":1,"topic":"' + b"x" * 65 + b'"}',
    "long reaction": b'{"type":"react","reaction":"' + b"x" * 33 + b'"}',
    "long key": b'{"type":"state","scope":"own","key":"' + b"x" * 65 + b'","value":1}',
    "empty key": b'{"type":"state","scope":"own","key":"","value":1}',
    "state of somebody else": b'{"type":"state","scope":"p2","key":"k","value":1}',
    "half a hand": b'{"type":"hand","raised":0.5}',
    "long resume token": b'{"type":"resume","seq":1,"token":"' + b"x" * 129 + b'"}',
    "negative seq": b'{"type":"resume","seq":-1,"token":"x"}',
    "unknown door": b'{"type":"lock","door":"ajar"}',
    "unmute others": b'{"type":"mute_participant","participant":"p2","muted":false}',
    "role by permit": b'{"type":"permit","participant":"p2","role":"teacher"}',
    "large spotlight": b'{"type":"spotlight","participants":[' + b",".join([b'"p"'] * 10) + b"]}",
    "long reason": b'{"type":"end","reason":"' + b"x" * 201 + b'"}',
}


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_frames_earn_a_short_sentence(frame: bytes) -> None:
    with pytest.raises(RequestError) as error:
        decode_client_message(frame)
    assert error.value.code is ErrorCode.BAD_MESSAGE
    sentence = error.value.message
    assert sentence.startswith("message is not understood: ")
    assert len(sentence) <= REASON_CHARACTERS_MAX + 40
    assert json.loads(encode_message(Error(code=error.value.code, message=sentence)))["code"] == "bad_message"
    peek_request_id(frame)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b'{"type":"destroy","id":7}', 7),
        (b'{"id":0}', 0),
        (b'{"id":"7"}', None),
        (b'{"id":-7}', None),
        (b'{"type":"destroy"}', None),
        (b'{"id":7', None),
        (b"7", None),
        (b"\xff", None),
    ],
)
def test_the_id_is_found_in_what_is_not_understood(frame: bytes, expected: int | None) -> None:
    assert peek_request_id(frame) == expected


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(frame: bytes) -> None:
    with contextlib.suppress(RequestError):
        decode_client_message(frame)


@pytest.mark.parametrize("example", EXAMPLES["client"])
def test_each_beginning_of_a_message_is_refused(example: str) -> None:
    frame = example.encode()
    for length in range(len(frame)):
        with pytest.raises(RequestError):
            decode_client_message(frame[:length])


def test_what_is_not_known_is_not_written() -> None:
    track = TrackView(
        id=TrackId("t"),
        source=Source.CAMERA,
        kind=MediaKind.VIDEO,
        state="live",
    )
    assert json.loads(msgspec.json.encode(track)) == {"id": "t", "source": "camera", "kind": "video", "state": "live"}
