"""`halqa keys`, as somebody types it."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path

import pytest

from control_api.cli import main
from control_api.contract.scopes import Scope
from control_api.keys import open_keys
from control_api.keys.command import EPILOG


def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of `halqa keys`."""
    code = main(["keys", *arguments, "--data", str(tmp_path)])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_a_key_is_made_and_its_secret_printed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "--name",
        "LMS أ",
        "--scope",
        "rooms:read",
        "--scope",
        "tokens:create",
        "--rooms",
        "a.*",
        "--days",
        "1",
    )
    code, output, _ = run(capsys, tmp_path, "create", *arguments)
    assert code == 0
    found = re.fullmatch(r"id      (\S+)\nsecret  (\S{43})\n", output)
    assert found is not None
    key = open_keys(tmp_path).find(found[1])
    assert key is not None
    assert key.secret == found[2].encode()
    assert key.scopes == {Scope.ROOMS_READ, Scope.TOKENS_CREATE}
    assert key.rooms.text == "a.*"
    assert key.expires_at is not None
    assert abs(key.expires_at.timestamp() - time.time() - 86_400) < 60
    code, output, _ = run(capsys, tmp_path, "list")
    assert code == 0
    assert "a.*" in output
    assert "LMS أ" in output
    assert found[2] not in output


def test_rotated_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = open_keys(tmp_path).first
    code, output, _ = run(capsys, tmp_path, "rotate", first.key_id, "--overlap-hours", "2", "--json")
    assert code == 0
    secret = json.loads(output)["secret"].encode()
    signing = open_keys(tmp_path).signing_key(first.key_id, wallclock=time.time())
    assert signing is not None
    assert signing.secrets == (secret, first.secret)
    assert run(capsys, tmp_path, "revoke", first.key_id)[0] == 0
    code, output, _ = run(capsys, tmp_path, "list", "--json")
    assert [(each["id"], each["state"]) for each in json.loads(output)] == [(first.key_id, "revoked")]
    assert secret.decode() not in output
    assert run(capsys, tmp_path, "rotate", first.key_id)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("revoke", "key-nope"), 1, "no key 'key-nope'"),
        (("rotate", "key-nope"), 1, "no key 'key-nope'"),
        (("create", "--name", "x", "--rooms", "../*"), 2, "room pattern '../*'"),
        (("create", "--name", "x", "--days", "-1"), 2, "not possible"),
        (("create", "--name", "x", "--days", "nan"), 2, "not possible"),
        (("create", "--name", "\x1b[2J"), 2, "control character"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_keys(tmp_path)
    exit_code, output, error = run(capsys, tmp_path, *arguments)
    assert exit_code == code
    assert output == ""
    assert said in error
    assert len(error.splitlines()) == 1


def test_nothing_is_made_by_looking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, error = run(capsys, tmp_path / "typo", "list")
    assert code == 1
    assert "No such file" in error
    assert not (tmp_path / "typo").exists()


def test_the_examples_of_the_help_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key_id = open_keys(tmp_path).first.key_id
    examples = [line.strip() for line in EPILOG.splitlines() if line.startswith("  halqa keys")]
    assert len(examples) == 5
    for example in examples:
        words = shlex.split(example.replace("key-5f3a9c1e", key_id))
        assert run(capsys, tmp_path, *words[2:])[0] == 0, example
