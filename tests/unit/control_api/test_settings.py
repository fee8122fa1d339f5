"""Settings refuse what cannot work, in words that name the value."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_api.settings import HttpSettings, MediaSettings, ServerSettings, SettingsError


def test_defaults_serve_http_to_this_computer_and_media_to_all() -> None:
    settings = ServerSettings(data=Path("x"))
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert (settings.media.bind_address, settings.media.udp_port) == ("0.0.0.0", 40_000)
    assert settings.media.workers >= 1
    assert settings.media.advertise == ()


@pytest.mark.parametrize("port", [-1, 65_536])
def test_port_out_of_range(port: int) -> None:
    with pytest.raises(SettingsError, match=f"HTTP port is {port}, expected 0 to 65535"):
        HttpSettings(port=port)
    with pytest.raises(SettingsError, match=f"UDP port is {port}"):
        MediaSettings(udp_port=port)


@pytest.mark.parametrize("address", ["", "localhost", "256.0.0.1", "1.2.3", "[::1]"])
def test_address_must_be_an_address(address: str) -> None:
    with pytest.raises(SettingsError, match="is not an IP address"):
        HttpSettings(host=address)
    with pytest.raises(SettingsError, match="media address"):
        MediaSettings(bind_address=address)
    with pytest.raises(SettingsError, match="advertised address"):
        MediaSettings(advertise=("192.0.2.1", address))


def test_nobody_can_send_to_a_wildcard() -> None:
    with pytest.raises(SettingsError, match=r"advertised address 0\.0\.0\.0"):
        MediaSettings(advertise=("0.0.0.0",))


def test_each_worker_needs_a_port() -> None:
    assert MediaSettings(udp_port=65_534, workers=2).workers == 2
    with pytest.raises(SettingsError, match="UDP ports 65534 to 65536 for 3 workers"):
        MediaSettings(udp_port=65_534, workers=3)


@pytest.mark.parametrize("workers", [-1, 0, 257])
def test_number_of_workers(workers: int) -> None:
    with pytest.raises(SettingsError, match=f"number of workers is {workers}"):
        MediaSettings(workers=workers)


def test_certificate_without_key() -> None:
    with pytest.raises(SettingsError, match="both a certificate and its key"):
        HttpSettings(tls_certificate=Path("chain.pem"))
    with pytest.raises(SettingsError, match="both a certificate and its key"):
        HttpSettings(tls_key=Path("key.pem"))
