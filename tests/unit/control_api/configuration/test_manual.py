"""The manual has every setting, and its example is one that a server takes."""

from __future__ import annotations

import re
from pathlib import Path

from control_api.configuration import TREE
from webapi.configuration.load import load_settings
from webapi.configuration.sources import read_file

MANUAL = Path(__file__).parent.parent.parent.parent.parent / "control_api" / "settings.md"
SECRET = "whsec_" + "eHh4" * 8


def test_manual_has_every_setting() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", MANUAL.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(TREE.all), "python -m control_api.configuration prints the table anew"
    silent = re.findall(r"^\| `([\w.]+)` \|.*\|  \|$", MANUAL.read_text(encoding="utf-8"), re.MULTILINE)
    assert not silent, "a docstring behind the field says what it means"


def test_example_is_taken(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    secret, file = tmp_path / "secret", tmp_path / "halqa.toml"
    secret.write_text(SECRET)
    file.write_text(found[1].replace("/run/secrets/halqa-webhook", str(secret)))
    settings = load_settings(TREE, [read_file(TREE, file)]).settings
    assert settings.http.port == 443
    assert settings.webhooks.endpoints[0].secrets == (SECRET,)
