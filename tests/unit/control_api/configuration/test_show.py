"""What is shown can be read again, and says everything but secrets."""

from __future__ import annotations

import tomllib
from pathlib import Path

from control_api.configuration import TREE
from control_api.webhooks.settings import WebhookEndpoint
from webapi.configuration.load import load_settings
from webapi.configuration.show import show_settings
from webapi.configuration.sources import Given, read_file

SECRET = "whsec_" + "eHh4" * 8


def test_shown_settings_make_the_same_settings(tmp_path: Path) -> None:
    given = {"data": 'a "b"', "media.advertise": ("192.0.2.1",), "signaling.room.duration_max_s": None}
    values = {path: Given(value if path != "data" else Path(str(value)), "test") for path, value in given.items()}
    loaded = load_settings(TREE, [values])
    file = tmp_path / "shown.toml"
    file.write_text(show_settings(TREE, loaded))
    assert load_settings(TREE, [read_file(TREE, file)]).settings == loaded.settings


def test_every_setting_is_shown_once(tmp_path: Path) -> None:
    shown = tomllib.loads(show_settings(TREE, load_settings(TREE, [{"data": Given(tmp_path, "test")}])))

    def paths(table: dict[str, object], above: str = "") -> set[str]:
        found = set()
        for key, value in table.items():
            found |= paths(value, f"{above}{key}.") if isinstance(value, dict) else {above + key}
        return found

    assert paths(shown) == set(TREE.all)


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    endpoint = WebhookEndpoint("lms", "https://lms.example.org/", (SECRET,))
    layer = {"data": Given(tmp_path, "test"), "webhooks.endpoints": Given((endpoint,), "test")}
    text = show_settings(TREE, load_settings(TREE, [layer]))
    assert "lms.example.org" in text
    assert SECRET not in text
