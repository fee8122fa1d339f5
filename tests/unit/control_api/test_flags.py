"""Flags, environment and file become settings; what is stronger wins; what is wrong is told with its source."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.configuration import TREE
from control_api.flags import SHORT_FLAGS, build_parser, read_settings
from control_api.settings import MediaSettings, ServerSettings, SettingsError
from signaling.identifiers import Door
from webapi.configuration.load import Loaded

SECRET = "whsec_" + "eHh4" * 8


def load(*arguments: str, environment: dict[str, str] | None = None) -> Loaded[ServerSettings]:
    return read_settings(build_parser().parse_args(arguments), environment or {})


def settings_of(*arguments: str, environment: dict[str, str] | None = None) -> ServerSettings:
    return load(*arguments, environment=environment).settings


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
        "HALQA_SIGNALING_ROOM_DOOR": "waiting",
        "HALQA_TEST_SIZE": "not ours",
        "PATH": "nor this",
    }
    settings = settings_of("media", environment=environment)
    assert settings.data == Path("/srv/halqa")
    assert settings.http.port == 9001
    assert settings.media == MediaSettings("127.0.0.1", 5000, 3, ("192.0.2.1", "192.0.2.2"))
    assert settings.signaling.room.door is Door.WAITING
    settings = settings_of("media", "--port", "9002", "--advertise", "192.0.2.3", environment=environment)
    assert settings.http.port == 9002
    assert settings.media.advertise == ("192.0.2.3",)


def test_flag_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "halqa.toml"
    file.write_text('data = "d"\n[media]\nworkers = 1\nudp_port = 1000\n[http]\nport = 1\n')
    environment = {"HALQA_CONFIG": str(file), "HALQA_MEDIA_UDP_PORT": "2000", "HALQA_PORT": "2"}
    loaded = load("media", "--set", "http.port=3", environment=environment)
    settings = loaded.settings
    assert (settings.media.workers, settings.media.udp_port, settings.http.port) == (1, 2000, 3)
    assert settings.http.host == "127.0.0.1"
    assert loaded.sources == {
        "data": f"data of {file}",
        "media.workers": f"media.workers of {file}",
        "media.udp_port": "environment variable HALQA_MEDIA_UDP_PORT",
        "http.port": "flag --set http.port",
    }


def test_data_folder_is_asked_of_operators_only() -> None:
    assert settings_of("up").data == Path("halqa-data")
    assert settings_of("up").logs.level == "warning"
    assert settings_of("up", environment={"HALQA_LOG_LEVEL": "debug"}).logs.level == "debug"
    with pytest.raises(SettingsError, match="the data folder is not set: flag --data, environment variable HALQA_DATA"):
        settings_of("media")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "many"], "flag --port is 'many', expected a whole number"),
        (["--port", "99999"], "flag --port: HTTP port is 99999, expected 0 to 65535"),
        (["--tls-key", "k"], "flag --tls-key: HTTPS needs both a certificate and its key"),
        (["--udp-port", "65534", "--workers", "3"], "flag --udp-port with flag --workers: UDP ports 65534 to 65536"),
        (
            ["--set", "media.wrokers=2"],
            "flag --set names 'media.wrokers', which is no setting; is media.workers meant?",
        ),
        (["--set", "media.workers"], "flag --set is 'media.workers', expected PATH=VALUE"),
        (["--set", "http.port=1", "--port", "2"], "flag --set http.port and flag --port name one setting"),
        (["--set", "webhooks.allow_plain_http=maybe"], "is 'maybe', expected true or false"),
        (["--set", "signaling.heartbeat_s=nan"], "expected a number"),
        (["--set", "signaling.room.waiting_max=0"], "waiting_max: waiting_max is 0, expected more than 0"),
        (["--set", "signaling.room.door=ajar"], "is 'ajar', expected one of open, waiting, locked"),
        (["--set", 'webhooks.endpoints=[{name = "lms"}]'], "lacks url, expected { name = ..., url = ..., secrets"),
        (["--set", "webhooks.endpoints=[{port = 1}]"], "has 'port', which is not known there; known are name, url"),
        (["--set", "webhooks.endpoints=lms"], "a list of tables in TOML"),
        (["--set", "webhooks.endpoints=[{]"], "is no list in TOML"),
        (["--config", "missing.toml"], "settings file missing.toml cannot be read: No such file or directory"),
    ],
)
def test_wrong_flag_names_flag_value_and_expectation(arguments: list[str], complaint: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings_of("media", "--data", "d", *arguments)
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"HALQA_PORT": "many"}, "environment variable HALQA_PORT is 'many', expected a whole number"),
        ({"HALQA_PROT": "1"}, "environment variable HALQA_PROT is no setting; is HALQA_PORT meant?"),
        ({"HALQA_XYZ_SERVICE_HOST": "1"}, "in Kubernetes set enableServiceLinks: false"),
        ({"HALQA_PORT": "1", "HALQA_HTTP_PORT": "1"}, "are two names of one setting"),
    ],
)
def test_wrong_environment_is_told_like_a_wrong_flag(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings_of("media", "--data", "d", environment=environment)
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[http]\nprot = 1", "http.prot of FILE is no setting; is http.port meant?"),
        ("[htpp]\nport = 1", "htpp of FILE is no setting; is http meant?"),
        ("http = 1", "http of FILE is a single value, expected a section: [http]"),
        ("[http]\nport = '1'", "http.port of FILE is '1', expected a whole number"),
        ("[http]\nport = true", "http.port of FILE is True, expected a whole number"),
        ("[http]\nhost = ''", "http.host of FILE is '', expected a text that is not empty"),
        ("[media]\nadvertise = '192.0.2.1'", "media.advertise of FILE is '192.0.2.1', expected a list"),
        ("[http]\nport = 70000", "http.port of FILE: HTTP port is 70000, expected 0 to 65535"),
        ("[http", "settings file FILE is not TOML"),
        ("\x00\xff", "settings file FILE is not TOML"),
    ],
)
def test_wrong_file_is_told_with_key_and_file(content: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "halqa.toml"
    file.write_text(content)
    with pytest.raises(SettingsError) as error:
        settings_of("media", "--data", "d", "--config", str(file))
    assert complaint.replace("FILE", str(file)) in str(error.value)


def test_secrets_come_from_files_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    endpoint = f"name = 'lms', url = 'https://lms.example.org/', secrets = [{{ file = '{tmp_path / 'secret'}' }}]"
    loaded = load("media", "--data", "d", "--set", f"webhooks.endpoints=[{{ {endpoint} }}]")
    assert loaded.settings.webhooks.endpoints[0].secrets == (SECRET,)
    (tmp_path / "secret").write_text("whsec_hunter2")
    with pytest.raises(SettingsError) as error:
        load("media", "--data", "d", "--set", f"webhooks.endpoints=[{{ {endpoint} }}]")
    assert "a secret of webhook lms is not whsec_" in str(error.value)
    assert "hunter2" not in str(error.value)
    (tmp_path / "secret").unlink()
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load("media", "--data", "d", "--set", f"webhooks.endpoints=[{{ {endpoint} }}]")


def test_short_flags_are_settings() -> None:
    assert not [flag.name for flag in SHORT_FLAGS if flag.path not in TREE.all]


@pytest.mark.parametrize("command", [[], ["media"], ["up"], ["token"]])
def test_help_has_examples_and_exit_codes(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        build_parser().parse_args([*command, "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert "examples:\n  halqa " in text
    assert "exit codes:" in text


def test_secret_of_the_environment_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("0123456789abcdef0123456789abcdef\n")
    urls = {"HALQA_DATA": "d", "HALQA_ICE_TURN_URLS": "turn:turn.example.org"}
    settings = settings_of("media", environment=urls | {"HALQA_ICE_TURN_SECRET_FILE": str(tmp_path / "turn")})
    assert settings.ice.turn_secret == "0123456789abcdef0123456789abcdef"
    with pytest.raises(SettingsError, match="HALQA_ICE_TURN_SECRET_FILE is to come from"):
        settings_of("media", environment=urls | {"HALQA_ICE_TURN_SECRET_FILE": str(tmp_path / "missing")})
    with pytest.raises(SettingsError, match="is no setting"):
        settings_of("media", environment=urls | {"HALQA_HTTP_HOST_FILE": str(tmp_path / "turn")})


@given(path=st.sampled_from(sorted(TREE.all)), text=st.text(max_size=60))
def test_any_text_is_a_setting_or_a_clear_refusal(path: str, text: str) -> None:
    try:
        settings_of("media", "--set", f"{path}={text}", *([] if path == "data" else ["--data", "d"]))
    except SettingsError as error:
        assert path in str(error)
