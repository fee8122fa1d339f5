"""The key file: made once, private, read again when it changes, never made worse by a broken edit."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from control_api.keys import KEYS_FILE, KeyFile, KeyFileError, open_keys

SECRET = "s" * 43


def write_keys(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(0o600)
    return path


def test_first_start_makes_a_key_that_only_the_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    keys = open_keys(folder)
    key_id, secret = keys.first
    assert keys.secret(key_id) == secret
    assert len(secret) >= 32
    assert (folder / KEYS_FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == [KEYS_FILE]


def test_next_start_finds_the_same_key(tmp_path: Path) -> None:
    assert open_keys(tmp_path).first == open_keys(tmp_path).first


def test_two_servers_have_different_keys(tmp_path: Path) -> None:
    assert open_keys(tmp_path / "a").first.secret != open_keys(tmp_path / "b").first.secret


def test_unknown_key(tmp_path: Path) -> None:
    assert open_keys(tmp_path).secret("stranger") is None


def test_key_comes_and_goes_without_restart(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    key_id = keys.first.key_id
    write_keys(tmp_path / KEYS_FILE, {"second": SECRET})
    assert keys.secret("second") == SECRET.encode()
    assert keys.secret(key_id) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"a": 1}', "{}", '{"a": "short"}', '{"": "' + SECRET + '"}', "\xff"]
)
def test_broken_file_stops_the_start_but_not_a_running_server(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = open_keys(tmp_path)
    key_id, secret = keys.first
    write_keys(tmp_path / KEYS_FILE, content)
    assert keys.secret(key_id) == secret
    assert keys.secret(key_id) == secret
    assert len(caplog.records) == 1, "told once, not at every token"
    with pytest.raises(KeyFileError, match=r"keys\.json"):
        open_keys(tmp_path)


def test_vanished_file_changes_nothing(tmp_path: Path) -> None:
    keys = open_keys(tmp_path)
    (tmp_path / KEYS_FILE).unlink()
    assert keys.secret(keys.first.key_id) == keys.first.secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_file_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    path = write_keys(tmp_path / KEYS_FILE, {"a": SECRET})
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        KeyFile(path)


def test_secret_is_in_no_message(tmp_path: Path) -> None:
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
