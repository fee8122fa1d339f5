"""The composition root in one process: parts start and end together, and every refusal has one shape."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from control_api.app import MediaServer, StartError
from control_api.invitations import Invitation, Role
from control_api.keys import open_keys
from control_api.settings import HttpSettings, MediaSettings, ServerSettings


def settings(folder: Path, port: int = 0) -> ServerSettings:
    return ServerSettings(
        data=folder,
        http=HttpSettings(port=port),
        media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=2),
    )


async def test_server_starts_and_ends_again_and_again(tmp_path: Path) -> None:
    for _ in range(3):
        server = await MediaServer.start(settings(tmp_path))
        async with aiohttp.ClientSession(server.url) as client, client.get("/livez") as answer:
            assert answer.status == 200
        await server.close()


async def test_server_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartError, match="is taken"):
            await MediaServer.start(settings(tmp_path, port=taken.getsockname()[1]))


async def test_https_without_a_proxy(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    plain = settings(tmp_path)
    secured = HttpSettings(port=0, tls_certificate=certificate, tls_key=key)
    server = await MediaServer.start(replace(plain, http=secured))
    trust = ssl.create_default_context(cafile=certificate)
    try:
        async with aiohttp.ClientSession(server.url) as client, client.get("/livez", ssl=trust) as answer:
            assert (server.url[:8], answer.status) == ("https://", 200)
    finally:
        await server.close()


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key, and return the paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "chain.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/sdk/../pages.py", 404, "not_found"),
        ("GET", "/sdk/%2e%2e/rooms.py", 404, "not_found"),
        ("POST", "/livez", 405, "method_not_allowed"),
        ("GET", "/v1/rooms/algebra/ws", 401, "no_token"),
    ],
)
async def test_refusal_is_json(method: str, path: str, status: int, code: str, tmp_path: Path) -> None:
    server = await MediaServer.start(settings(tmp_path))
    try:
        async with aiohttp.ClientSession(server.url) as client, client.request(method, path) as answer:
            assert answer.status == status
            error = (await answer.json())["error"]
            assert error["code"] == code
            assert error["message"]
    finally:
        await server.close()


async def test_clients_are_sent_away_before_the_server_ends(tmp_path: Path) -> None:
    server = await MediaServer.start(settings(tmp_path))
    key = open_keys(tmp_path).first
    token = Invitation("algebra", "t1", Role.TEACHER, time.time() + 60).token(key)
    async with aiohttp.ClientSession(server.url) as client:
        websocket = await client.ws_connect("/v1/rooms/algebra/ws", headers={"Authorization": f"Bearer {token}"})
        await server.close()
        message = await websocket.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 4010
    assert errno.errorcode[await _connect_error(server.url)] == "ECONNREFUSED"


async def _connect_error(url: str) -> int:
    try:
        async with aiohttp.ClientSession() as client, client.get(f"{url}/livez"):
            return 0
    except aiohttp.ClientConnectorError as error:
        return error.os_error.errno or 0
