"""The key file: made once, private, read again when it changes, never made worse by a broken edit."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from control_api.contract.scopes import Scope
from control_api.keys import KEYS_FILE, KeyFile, KeyFileError, NoSuchKeyError, make_api_key, moment, open_keys
from signaling.room_pattern import RoomPattern

SECRET = "s" * 43
NOW = moment(time.time())


def write_keys(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(0o600)
    return path


def secrets_of(keys: KeyFile, key_id: str) -> tuple[bytes, ...]:
    key = keys.signing_key(key_id, wallclock=time.time())
    return key.secrets if key else ()


def test_first_start_makes_a_key_that_only_the_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    keys = open_keys(folder)
    key = keys.first
    assert secrets_of(keys, key.key_id) == (key.secret,)
    assert len(key.secret) >= 32
    assert key.scopes == frozenset(Scope)
    assert key.rooms.is_everything
    assert (folder / KEYS_FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == [KEYS_FILE]


def test_next_start_finds_the_same_key(tmp_path: Path) -> None:
    assert open_keys(tmp_path).first == open_keys(tmp_path).first


def test_two_servers_have_different_keys(tmp_path: Path) -> None:
    assert open_keys(tmp_path / "a").first.secret != open_keys(tmp_path / "b").first.secret


def test_unknown_key(tmp_path: Path) -> None:
    assert secrets_of(open_keys(tmp_path), "stranger") == ()


def test_key_comes_and_goes_without_restart(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    first = keys.first
    other = open_keys(tmp_path)  # the command, while the server runs
    second = make_api_key(at=NOW, name="LMS", scopes=[Scope.EVENTS_READ], rooms=RoomPattern("school-a.*"))
    other.add(second)
    assert keys.find(second.key_id) == second
    other.revoke(first.key_id)
    assert secrets_of(keys, first.key_id) == ()
    assert [key.key_id for key in keys.listed()] == [first.key_id, second.key_id], "who was let in once stays known"


def test_only_keys_for_tokens_sign_them(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    reader = make_api_key(at=NOW, scopes=[Scope.EVENTS_READ])
    keys.add(reader)
    assert keys.signing_key(reader.key_id, wallclock=time.time()) is None
    student_desk = make_api_key(at=NOW, scopes=[Scope.TOKENS_CREATE], rooms=RoomPattern("a.*"))
    keys.add(student_desk)
    found = keys.signing_key(student_desk.key_id, wallclock=time.time())
    assert found is not None
    assert not found.moderates
    assert found.rooms == RoomPattern("a.*")
    assert keys.signer(RoomPattern("a.1")) == keys.first
    keys.revoke(keys.first.key_id)
    assert keys.signer(RoomPattern("a.1")) == student_desk
    with pytest.raises(KeyFileError, match=r"no key that may sign tokens for b\.1"):
        keys.signer(RoomPattern("b.1"))


def test_rotation_lets_the_earlier_secret_live_for_a_while(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    before = keys.first
    after = keys.rotate(before.key_id, overlap_s=3600)
    now = time.time()
    assert after.secret != before.secret
    signing = keys.signing_key(before.key_id, wallclock=now)
    assert signing is not None
    assert signing.secrets == (after.secret, before.secret)
    later = keys.signing_key(before.key_id, wallclock=now + 3601)
    assert later is not None
    assert later.secrets == (after.secret,)
    assert open_keys(tmp_path).find(before.key_id) == after, "as the file says"
    assert secrets_of(keys, keys.rotate(before.key_id, overlap_s=0).key_id)[1:] == (before.secret,)


def test_key_that_is_not_there_is_not_changed(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    with pytest.raises(NoSuchKeyError):
        keys.revoke("stranger")
    with pytest.raises(NoSuchKeyError):
        keys.rotate("stranger", overlap_s=0)
    keys.revoke(keys.first.key_id)
    with pytest.raises(ValueError, match="has ended"):
        keys.rotate(keys.listed()[0].key_id, overlap_s=0)


def test_changes_of_several_processes_lose_nothing(tmp_path: Path) -> None:
    open_keys(tmp_path)
    program = (
        "import sys, datetime; from pathlib import Path; from control_api.keys import open_keys, make_api_key\n"
        "for _ in range(20): open_keys(Path(sys.argv[1])).add(make_api_key(at=datetime.datetime.now(datetime.UTC)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [each.wait(30) for each in running] == [0, 0]
    assert len(open_keys(tmp_path).listed()) == 1 + 40
    assert [path.name for path in tmp_path.iterdir()] == [KEYS_FILE], "no half of a file is left"


def test_keys_of_earlier_servers_are_taken_and_brought_into_the_new_form(tmp_path: Path) -> None:
    write_keys(tmp_path / KEYS_FILE, {"old": SECRET, "keys": SECRET})
    keys = open_keys(tmp_path)
    assert keys.first.key_id == "old"
    assert keys.first.scopes == frozenset(Scope)
    keys.add(make_api_key(at=NOW))
    assert "keys" in json.loads((tmp_path / KEYS_FILE).read_text())
    assert secrets_of(open_keys(tmp_path), "old") == (SECRET.encode(),)
    assert secrets_of(open_keys(tmp_path), "keys") == (SECRET.encode(),)


NO_SCOPE = {"id": "a", "secret": SECRET}
GOOD = {**NO_SCOPE, "scopes": ["rooms:read"]}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"a": 1}',
        "{}",
        '{"a": "short"}',
        '{"": "' + SECRET + '"}',
        "\xff",
        {"keys": []},
        {"keys": [NO_SCOPE]},
        {"keys": [{**GOOD, "scopes": ["rooms:everything"]}]},
        {"keys": [{**GOOD, "rooms": "../*"}]},
        {"keys": [{**GOOD, "only_on_mondays": True}]},
        {"keys": [{**GOOD, "expires_at": "tomorrow"}]},
        {"keys": [{**GOOD, "expires_at": "2026-01-01T00:00:00"}]},
        {"keys": [{**GOOD, "secret": "short"}]},
        {"keys": [{**GOOD, "earlier": [{"secret": "short", "until": "2026-01-01T00:00:00Z"}]}]},
        {"keys": [GOOD, GOOD]},
    ],
)
def test_broken_file_stops_the_start_but_not_a_running_server(
    content: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = open_keys(tmp_path)
    key = keys.first
    caplog.clear()
    write_keys(tmp_path / KEYS_FILE, content)
    assert secrets_of(keys, key.key_id) == (key.secret,)
    assert secrets_of(keys, key.key_id) == (key.secret,)
    assert len(caplog.records) == 1, "told once, not at every token"
    assert SECRET not in caplog.text
    with pytest.raises(KeyFileError, match=r"keys\.json"):
        open_keys(tmp_path)


def test_vanished_file_changes_nothing(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    (tmp_path / KEYS_FILE).unlink()
    assert secrets_of(keys, keys.first.key_id) == (keys.first.secret,)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_file_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    path = write_keys(tmp_path / KEYS_FILE, {"a": SECRET})
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        KeyFile(path)


def test_secret_is_in_no_message_and_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keys = open_keys(tmp_path / "data")
    keys.rotate(keys.first.key_id, overlap_s=60)
    keys.revoke(keys.first.key_id)
    shown = caplog.text + repr(keys.listed())
    for key in keys.listed():
        assert key.secret.decode() not in shown
    write_keys(tmp_path / KEYS_FILE, {"a": "hunter2"})
    with pytest.raises(KeyFileError) as error:
        open_keys(tmp_path)
    assert "hunter2" not in str(error.value)


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(KeyFileError, match="cannot be used: File exists"):
        open_keys(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(KeyFileError, match="Permission denied"):
        open_keys(tmp_path / "data")
