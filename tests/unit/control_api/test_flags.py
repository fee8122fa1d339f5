"""Flags and environment become settings; the flag wins; what is wrong is told with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_api.flags import build_parser, media_flags, server_settings
from control_api.settings import HttpSettings, MediaSettings, ServerSettings


def settings_of(*arguments: str, environment: dict[str, str] | None = None) -> ServerSettings:
    return server_settings(build_parser(environment or {}).parse_args(arguments))


def test_media_flags() -> None:
    settings = settings_of(
        "media", "--port", "9000", "--data", "d", "--advertise", "192.0.2.1", "--advertise", "192.0.2.2"
    )
    assert settings.http.port == 9000
    assert settings.data == Path("d")
    assert settings.media.advertise == ("192.0.2.1", "192.0.2.2")


def test_environment_fills_what_no_flag_says() -> None:
    environment = {
        "HALQA_DATA": "/srv/halqa",
        "HALQA_PORT": "9001",
        "HALQA_UDP_PORT": "5000",
        "HALQA_WORKERS": "3",
        "HALQA_ADVERTISE": "192.0.2.1, 192.0.2.2,",
        "HALQA_MEDIA_ADDRESS": "127.0.0.1",
    }
    settings = settings_of("media", environment=environment)
    assert settings.data == Path("/srv/halqa")
    assert settings.http.port == 9001
    assert settings.media == MediaSettings("127.0.0.1", 5000, 3, ("192.0.2.1", "192.0.2.2"))
    settings = settings_of("media", "--port", "9002", "--advertise", "192.0.2.3", environment=environment)
    assert settings.http.port == 9002
    assert settings.media.advertise == ("192.0.2.3",)


def test_wrong_environment_is_told_like_a_wrong_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        settings_of("media", "--data", "d", environment={"HALQA_PORT": "many"})
    assert exit_.value.code == 2
    assert "argument --port: invalid int value: 'many'" in capsys.readouterr().err


def test_data_folder_is_asked_of_operators_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert settings_of("up").data == Path("halqa-data")
    with pytest.raises(SystemExit):
        settings_of("media")
    assert "required: --data" in capsys.readouterr().err


@pytest.mark.parametrize(
    "settings",
    [
        ServerSettings(data=Path("a b")),
        ServerSettings(
            data=Path("d"),
            http=HttpSettings("::1", 0, Path("chain.pem"), Path("key.pem")),
            media=MediaSettings("127.0.0.1", 0, 7, ("192.0.2.1", "2001:db8::1")),
        ),
    ],
)
def test_settings_survive_the_way_to_a_child_process(settings: ServerSettings) -> None:
    assert settings_of("media", *media_flags(settings, log_level="debug")) == settings


@pytest.mark.parametrize("command", [[], ["media"], ["up"], ["token"]])
def test_help_has_examples_and_exit_codes(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        build_parser({}).parse_args([*command, "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert "examples:\n  halqa " in text
    assert "exit codes:" in text
