"""The manual of settings has every setting, and its example is one that the service takes."""

from __future__ import annotations

import re
from pathlib import Path

from lms.cli import SHORT_FLAGS, TREE
from webapi.configuration.load import load_settings
from webapi.configuration.manual import settings_table
from webapi.configuration.sources import read_file

MANUAL = Path(__file__).parent.parent.parent.parent / "lms" / "settings.md"


def test_manual_has_every_setting_as_it_is() -> None:
    table = settings_table(TREE, {flag.path: flag.name for flag in SHORT_FLAGS})
    assert MANUAL.read_text(encoding="utf-8").endswith(f"\n\n{table}\n"), "python -m lms.settings_table prints it anew"
    silent = re.findall(r"^\| `([\w.]+)` \|.*\|  \|$", table, re.MULTILINE)
    assert not silent, "a docstring behind the field says what it means"


def test_example_is_taken(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    secret, file = tmp_path / "secret", tmp_path / "lms.toml"
    secret.write_text("key:secret")
    file.write_text(re.sub(r"/run/secrets/[\w-]+", str(secret), found[1]))
    settings = load_settings(TREE, [read_file(TREE, file)]).settings
    assert settings.media_server.key == "key:secret"
    assert settings.mail.sender == "school@example.org"
