"""TURN credentials and the settings of ICE servers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from control_api.ice_servers import IceSettingError, IceSettings, ice_servers_for, linked_servers, turn_password
from control_api.keys import moment
from signaling.whip.links import link_of

NOW = 1_800_000_000.9
SETTINGS = IceSettings(
    stun_urls=("stun:turn.example.org",),
    turn_urls=("turn:turn.example.org?transport=udp", "turns:turn.example.org:443?transport=tcp"),
    turn_secret="logen-north-gauge",
    ttl_s=300,
)


def test_the_password_is_what_turn_servers_compute() -> None:
    """Computed beforehand: printf '%s' USER | openssl dgst -sha1 -hmac SECRET -binary | base64."""
    assert turn_password(b"north", "1433895918:mbzrxpgjys") == "d2Q1V6JRLjCTMOhoc8cTgEoi7u0="


def test_credentials_end_and_do_not_tell_names() -> None:
    servers = ice_servers_for(SETTINGS, "algebra/Maryam", wallclock=NOW)
    stun, turn = servers.ice_servers
    assert stun.urls == SETTINGS.stun_urls
    assert (stun.username, stun.credential) == (None, None)
    assert turn.urls == SETTINGS.turn_urls
    assert turn.username is not None
    expires, _, pseudonym = turn.username.partition(":")
    assert int(expires) == 1_800_000_300
    assert servers.expires_at == moment(1_800_000_300)
    assert servers.ttl_s == 300
    assert "Maryam" not in pseudonym
    assert turn.credential == turn_password(b"logen-north-gauge", turn.username)
    again = ice_servers_for(SETTINGS, "algebra/Maryam", wallclock=NOW + 60).ice_servers[1]
    assert again.username is not None
    assert again.username.partition(":")[2] == pseudonym, "quotas count somebody by name"
    other = ice_servers_for(SETTINGS, "algebra/Yusuf", wallclock=NOW).ice_servers[1]
    assert other.username != turn.username


def test_no_server_is_no_server() -> None:
    servers = ice_servers_for(IceSettings(), "anybody", wallclock=NOW)
    assert servers.ice_servers == ()
    assert linked_servers(servers) == []


def test_what_a_browser_takes() -> None:
    first, second = msgspec.to_builtins(ice_servers_for(SETTINGS, "x", wallclock=NOW))["ice_servers"]
    assert first == {"urls": ("stun:turn.example.org",)}
    assert set(second) == {"urls", "username", "credential"}


def test_link_headers_name_each_url() -> None:
    links = [link_of(server) for server in linked_servers(ice_servers_for(SETTINGS, "x", wallclock=NOW))]
    assert links[0] == '<stun:turn.example.org>; rel="ice-server"'
    assert len(links) == 3
    assert all('credential-type="password"' in link for link in links[1:])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stun_urls": ("turn:a.example",)}, "stun_urls holds 'turn:a.example'"),
        ({"stun_urls": ("stun:a.example?transport=udp",)}, "no transport"),
        ({"turn_urls": ("https://a.example",)}, "turn_urls holds"),
        ({"turn_urls": ("turn:a.example:99999",)}, "turn_urls holds"),
        ({"turn_urls": ("turn:user@a.example",)}, "turn_urls holds"),
        ({"turn_urls": ("turn:a.example\r\nX: y",)}, "turn_urls holds"),
        ({"turn_urls": ("turn:a.example",), "turn_secret": None}, "need a turn_secret"),
        ({"turn_secret": "short"}, "has 5 characters"),
        ({"ttl_s": 3600}, "expected 30 to 600"),
        ({"ttl_s": 0}, "expected 30 to 600"),
    ],
)
def test_settings_that_cannot_work(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(IceSettingError, match=said.replace("(", r"\(")) as error:
        IceSettings(**wrong)
    assert str(wrong.get("turn_secret")) not in str(error.value) or wrong.get("turn_secret") is None


def test_the_secret_is_not_shown() -> None:
    assert "logen" not in repr(SETTINGS)
