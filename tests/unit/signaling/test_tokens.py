"""Tokens: what they grant, and everything that opens nothing."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import tokens
from signaling.codes import ErrorCode
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, Role, Source
from signaling.keys import SECRET_BYTES_MIN, SigningKey, StaticKeys
from signaling.names import parse_room_name
from signaling.room_pattern import RoomPattern
from signaling.tokens import LEEWAY_S, LIFETIME_S_MAX, TOKEN_CHARACTERS_MAX, TokenError, check_token, make_token

NOW = 1_800_000_000.0
SECRET = b"0123456789abcdef0123456789abcdef"
OTHER_SECRET = b"another secret of thirty-two byte"
KEYS = StaticKeys({"school": SECRET, "other": OTHER_SECRET})
CLAIMS: dict[str, Any] = {"sub": "amal", "room": "algebra", "exp": NOW + 60}


def signed(claims: object, *, key_id: object = "school", secret: bytes = SECRET, algorithm: str = "HS256") -> str:
    """A token of any content."""
    assert isinstance(claims, dict)
    return jwt.encode(claims, secret, algorithm=algorithm, headers=None if key_id is None else {"kid": key_id})


def raw(header: bytes, payload: bytes, signature: bytes = b"signature") -> str:
    """A token of any bytes."""
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload, signature))


def refusal(token: str, *, wallclock: float = NOW) -> TokenError:
    with pytest.raises(TokenError) as error:
        check_token(token, KEYS, wallclock=wallclock)
    message = error.value.message
    assert SECRET.decode() not in message
    assert token not in message or not token
    return error.value


@pytest.mark.parametrize("publish", [ALL_SOURCES, frozenset[Source](), frozenset({Source.CAMERA, Source.SCREEN})])
@pytest.mark.parametrize("name", [None, "د. أمل"])
def test_what_is_made_is_read_back(publish: frozenset[Source], name: str | None) -> None:
    grants = Grants(parse_room_name("صف-7"), Identity("amal"), NOW + 60, name=name, publish=publish, subscribe=False)
    token = make_token(grants, key_id="school", secret=SECRET, not_before=NOW)
    assert check_token(token, KEYS, wallclock=NOW) == grants


def test_the_example_of_the_manual_is_a_token() -> None:
    manual = Path(tokens.__file__).with_name("protocol.md").read_text()
    teacher, student = map(json.loads, manual.split("```json token\n")[1].split("```")[0].splitlines())
    grants = check_token(signed(teacher), KEYS, wallclock=teacher["exp"] - 60)
    assert (grants.identity, grants.publish, grants.subscribe) == ("teacher-17", ALL_SOURCES, True)
    assert (grants.role, grants.send, grants.moderate, grants.hidden) == (Role.TEACHER, True, True, False)
    grants = check_token(signed(student), KEYS, wallclock=teacher["exp"] - 60)
    assert (grants.role, grants.send, grants.moderate) == (Role.STUDENT, True, False)
    assert grants.audience == {Source.CAMERA: {Role.TEACHER, Role.ASSISTANT}}


@pytest.mark.parametrize(
    ("claims", "publish", "send", "moderate"),
    [
        ({}, frozenset(), True, False),
        ({"role": "teacher"}, ALL_SOURCES, True, True),
        ({"role": "assistant", "publish": False}, frozenset(), True, True),
        ({"role": "student", "moderate": True, "send": False}, frozenset(), False, True),
        ({"role": "observer"}, frozenset(), False, False),
    ],
)
def test_the_role_decides_what_is_not_said(
    claims: dict[str, Any], publish: frozenset[Source], send: bool, moderate: bool
) -> None:
    grants = check_token(signed(CLAIMS | claims), KEYS, wallclock=NOW)
    assert (grants.publish, grants.send, grants.moderate) == (publish, send, moderate)


def test_a_list_names_whose_tracks_are_sent() -> None:
    grants = check_token(signed(CLAIMS | {"subscribe": ["teacher", "student:microphone"]}), KEYS, wallclock=NOW)
    assert grants.subscribe
    assert grants.sees is not None
    assert set(grants.sees) == {*((Role.TEACHER, source) for source in Source), (Role.STUDENT, Source.MICROPHONE)}
    assert check_token(signed(CLAIMS | {"subscribe": []}), KEYS, wallclock=NOW).sees == frozenset()


@pytest.mark.parametrize(
    "claims",
    [
        {"role": "king"},
        {"role": None},
        {"subscribe": ["king"]},
        {"subscribe": ["teacher:brain"]},
        {"subscribe": [""]},
        {"subscribe": ["teacher"] * 33},
        {"audience": {"brain": []}},
        {"audience": {"camera": ["king"]}},
        {"audience": ["camera"]},
        {"send": "yes"},
        {"moderate": 1},
        {"moderate": None},
        {"hidden": "no"},
    ],
)
def test_a_wrong_grant_is_no_grant(claims: dict[str, Any]) -> None:
    assert refusal(signed(CLAIMS | claims)).code is ErrorCode.BAD_TOKEN


@pytest.mark.parametrize(
    ("publish", "expected"),
    [
        (True, ALL_SOURCES),
        (False, frozenset()),
        ([], frozenset()),
        (["microphone", "microphone"], {Source.MICROPHONE}),
        (None, None),
    ],
)
def test_publish_is_a_list_or_all_or_nothing(publish: object, expected: set[Source] | None) -> None:
    if expected is None:
        assert refusal(signed(CLAIMS | {"publish": publish})).code is ErrorCode.BAD_TOKEN
    else:
        assert check_token(signed(CLAIMS | {"publish": publish}), KEYS, wallclock=NOW).publish == expected


def test_what_is_not_mentioned_is_not_granted() -> None:
    grants = check_token(signed(CLAIMS), KEYS, wallclock=NOW)
    assert (grants.publish, grants.subscribe, grants.name) == (frozenset(), True, None)


def test_claims_of_newer_servers_are_left_alone() -> None:
    assert check_token(signed(CLAIMS | {"moderate": True, "iat": 10**12}), KEYS, wallclock=NOW).identity == "amal"


@pytest.mark.parametrize(
    ("age", "code"),
    [
        (-60, None),
        (0, None),
        (LEEWAY_S - 0.1, None),
        (LEEWAY_S, ErrorCode.TOKEN_EXPIRED),
        (9e9, ErrorCode.TOKEN_EXPIRED),
    ],
)
def test_expiry_has_a_small_leeway(age: float, code: ErrorCode | None) -> None:
    token = signed(CLAIMS | {"exp": NOW - age})
    if code is None:
        check_token(token, KEYS, wallclock=NOW)
    else:
        assert refusal(token).code is code


@pytest.mark.parametrize(("ahead", "passes"), [(-10, True), (LEEWAY_S, True), (LEEWAY_S + 0.1, False), (1e9, False)])
def test_a_token_may_begin_later(ahead: float, passes: bool) -> None:
    token = signed(CLAIMS | {"nbf": NOW + ahead})
    if passes:
        check_token(token, KEYS, wallclock=NOW)
    else:
        assert refusal(token).code is ErrorCode.TOKEN_NOT_YET_VALID


@pytest.mark.parametrize(
    "change",
    [
        {"sub": None},
        {"sub": 5},
        {"sub": ""},
        {"sub": "  "},
        {"sub": "a\nb"},
        {"sub": "a" * 129},
        {"sub": "\ud800"},
        {"room": None},
        {"room": 5},
        {"room": ""},
        {"room": ".."},
        {"room": "a/b"},
        {"room": "a" * 129},
        {"name": ""},
        {"name": 5},
        {"name": "a" * 129},
        {"publish": "camera"},
        {"publish": ["brain"]},
        {"publish": ["camera"] * 17},
        {"publish": 1},
        {"subscribe": "yes"},
        {"subscribe": 1},
        {"exp": None},
        {"exp": str(NOW + 60)},
        {"exp": math.inf},
        {"exp": math.nan},
        {"exp": NOW + LIFETIME_S_MAX + 1},
        {"exp": NOW * 1000},  # milliseconds
        {"exp": True},
        {"aud": "somebody else"},
    ],
    ids=str,
)
def test_wrong_claims(change: dict[str, Any]) -> None:
    assert refusal(signed(CLAIMS | change)).code is ErrorCode.BAD_TOKEN


def test_nbf_that_is_no_number_never_begins() -> None:
    assert refusal(signed(CLAIMS | {"nbf": math.nan})).code is ErrorCode.TOKEN_NOT_YET_VALID


@pytest.mark.parametrize("claim", ["sub", "room", "exp"])
def test_required_claims(claim: str) -> None:
    error = refusal(signed({name: value for name, value in CLAIMS.items() if name != claim}))
    assert error.code is ErrorCode.BAD_TOKEN
    assert claim in error.message


@pytest.mark.parametrize("key_id", [None, "", "nobody", "k" * 65, 7, ["school"]], ids=str)
def test_the_key_id_must_name_a_key(key_id: object) -> None:
    header = {"alg": "HS256", "typ": "JWT"} | ({} if key_id is None else {"kid": key_id})
    assert refusal(raw(json.dumps(header).encode(), json.dumps(CLAIMS).encode())).code is ErrorCode.BAD_TOKEN


def test_each_key_signs_for_itself() -> None:
    check_token(signed(CLAIMS, key_id="other", secret=OTHER_SECRET), KEYS, wallclock=NOW)
    error = refusal(signed(CLAIMS, key_id="school", secret=OTHER_SECRET))
    assert (error.code, error.message) == (ErrorCode.BAD_TOKEN, "token's signature is not of key 'school'")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_the_algorithm_is_pinned(algorithm: str) -> None:
    assert refusal(signed(CLAIMS, algorithm=algorithm)).code is ErrorCode.BAD_TOKEN


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "RS256", None, 5, ["HS256"]], ids=str)
def test_no_other_algorithm_is_believed(algorithm: object) -> None:
    header = json.dumps({"alg": algorithm, "kid": "school"}).encode()
    for signature in (b"", b"signature"):
        assert refusal(raw(header, json.dumps(CLAIMS).encode(), signature)).code is ErrorCode.BAD_TOKEN


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "not a token",
        "é.é.é",
        "\ud800.a.b",
        raw(b"[]", b"{}"),
        raw(b"null", b"{}"),
        raw(b"\xff", b"\xff"),
        raw(b"[" * 2000, b"{}"),
        raw(b'{"a":' * 400, b"{}"),
        raw(b'{"alg":"HS256","kid":"school","crit":["exp"],"exp":0}', b"{}"),
        raw(b'{"alg":"HS256","kid":"school","b64":false,"crit":["b64"]}', b"{}"),
        "a" * (TOKEN_CHARACTERS_MAX + 1),
    ],
    ids=lambda token: ascii(token[:20]),
)
def test_what_is_no_token(token: str) -> None:
    assert refusal(token).code is ErrorCode.BAD_TOKEN


@pytest.mark.parametrize("payload", [b"[]", b"null", b"\xff", b"[" * 1500, b'"text"', b""])
def test_a_payload_that_is_signed_and_no_claims(payload: bytes) -> None:
    token = jwt.PyJWS().encode(payload, SECRET, algorithm="HS256", headers={"kid": "school"})
    assert refusal(token).code is ErrorCode.BAD_TOKEN


@given(st.data())
def test_no_bit_of_a_token_can_be_changed(data: st.DataObject) -> None:
    token = signed(CLAIMS | {"publish": True})
    index = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(max_codepoint=127).filter(lambda character: character != token[index]))
    forged = token[:index] + other + token[index + 1 :]
    try:
        grants = check_token(forged, KEYS, wallclock=NOW)
    except TokenError:
        return
    # The last character of base64 holds bits that mean nothing.
    assert index == len(token) - 1
    assert grants == check_token(token, KEYS, wallclock=NOW)


@given(st.text(max_size=300))
def test_random_text_opens_nothing(token: str) -> None:
    with pytest.raises(TokenError):
        check_token(token, KEYS, wallclock=NOW)


def test_a_token_that_no_server_takes_is_not_made() -> None:
    grants = Grants(parse_room_name("algebra"), Identity("amal"), NOW, name="x" * TOKEN_CHARACTERS_MAX)
    with pytest.raises(ValueError, match="more than the 4096"):
        make_token(grants, key_id="school", secret=SECRET)


@pytest.mark.parametrize(
    "secrets",
    [{"": SECRET}, {"k" * 65: SECRET}, {"a\nb": SECRET}, {"short": b"x" * (SECRET_BYTES_MIN - 1)}],
    ids=str,
)
def test_keys_that_must_not_be_used(secrets: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="key") as error:
        StaticKeys(secrets)
    assert SECRET.decode() not in str(error.value)


class OneKey:
    """A key store with one key."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def signing_key(self, key_id: str, *, wallclock: float) -> SigningKey | None:
        return self._key if key_id == "school" else None


def test_after_a_rotation_both_secrets_sign() -> None:
    rotated = OneKey(SigningKey((OTHER_SECRET, SECRET)))
    for secret in (SECRET, OTHER_SECRET):
        assert check_token(signed(CLAIMS, secret=secret), rotated, wallclock=NOW).identity == CLAIMS["sub"]
    with pytest.raises(TokenError, match="signature is not of key"):
        check_token(signed(CLAIMS, secret=b"x" * 32), rotated, wallclock=NOW)


def test_a_key_opens_its_own_rooms_alone() -> None:
    key = OneKey(SigningKey((SECRET,), RoomPattern("school-a.*")))
    check_token(signed(CLAIMS | {"room": "school-a.7b"}), key, wallclock=NOW)
    for room in ("school-b.7b", "school-a"):
        with pytest.raises(TokenError, match="does not open this room"):
            check_token(signed(CLAIMS | {"room": room}), key, wallclock=NOW)


def test_a_key_that_may_not_moderate_makes_no_moderators() -> None:
    key = OneKey(SigningKey((SECRET,), moderates=False))
    check_token(signed(CLAIMS), key, wallclock=NOW)
    check_token(signed(CLAIMS | {"role": "teacher", "moderate": False}), key, wallclock=NOW)
    for claims in ({"moderate": True}, {"role": "teacher"}):
        with pytest.raises(TokenError, match="may not let anybody moderate"):
            check_token(signed(CLAIMS | claims), key, wallclock=NOW)


def test_what_was_signed_for_another_purpose_opens_nothing() -> None:
    with pytest.raises(TokenError, match="not usable"):
        check_token(signed(CLAIMS | {"aud": "halqa-control"}), KEYS, wallclock=NOW)
