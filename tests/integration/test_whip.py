"""WHIP and WHEP on real sockets and the real engine: every answer, and every refusal with its code."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import pytest

import signaling
from signaling.identifiers import Source
from signaling.whip import IceServer, WhipConfig
from tests.support.whip import FRAGMENT, SDP, Answer, Server, serve, token
from tests.unit.signaling.offers import description, section

PUBLISHER = description([section("0", "audio", "sendonly"), section("1", "video", "sendonly", simulcast=True)], "01")
VIEWER = description([section("0", "audio", "recvonly"), section("1", "video", "recvonly")], "01")
RESTART = "a=ice-ufrag:wxyz\r\na=ice-pwd:" + "w" * 24 + "\r\n"
TRICKLE = (
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcd" + "x" * 24 + "\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
    "a=candidate:1 1 udp 2113937151 192.0.2.7 54321 typ host\r\na=end-of-candidates\r\n"
)
ICE = IceServer("turn:turn.example.org?transport=udp", "amal", 'se"cret')


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(config=WhipConfig(resources_per_person_max=3), ice_servers=lambda _identity: [ICE]) as server:
        yield server


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]["code"]


class Ear:
    """A participant of the JSON protocol who only listens."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {token('badr')}"}
        self._websocket = await self._server.http.ws_connect(f"{self._server.url}/v1/rooms/algebra/ws", headers=headers)
        await self._websocket.send_json({"type": "join", "id": 1, "offer": VIEWER, "slots": []})
        self.joined = await self.hear("joined")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._websocket.close()

    async def hear(self, kind: str) -> dict[str, Any]:
        while True:
            heard: dict[str, Any] = json.loads(await self._websocket.receive_str(timeout=5))
            if heard["type"] == kind:
                return heard


async def test_a_publisher_comes_into_the_room_and_goes(server: Server) -> None:
    async with Ear(server) as badr:
        created = await server.post("/whip/algebra", PUBLISHER, "amal")
        assert (created.status, created.headers["Content-Type"].split(";")[0]) == (201, SDP)
        assert created.text.count("a=recvonly") == 2
        assert "a=ice-lite" in created.text
        assert created.headers["Accept-Patch"] == FRAGMENT
        assert re.fullmatch(r'"[\w-]{12}"', created.headers["ETag"])
        assert re.fullmatch(r"/whip/algebra/[\w-]{32}", created.headers["Location"])
        assert created.headers["Link"] == (
            '<turn:turn.example.org?transport=udp>; rel="ice-server"; username="amal"; credential="se\\"cret"; '
            'credential-type="password"'
        )
        assert (await badr.hear("participant"))["participant"]["identity"] == "amal"
        sources = {(await badr.hear("track"))["track"]["source"] for _ in range(2)}
        assert sources == {"camera", "microphone"}
        deleted = await server.delete(created.headers["Location"], "amal")
        assert (deleted.status, deleted.body) == (200, b"")
        assert (await badr.hear("left"))["reason"] == "left"
        assert code(await server.delete(created.headers["Location"], "amal")) == (404, "unknown_resource")


async def test_a_screen(server: Server) -> None:
    async with Ear(server) as badr:
        await server.post("/whip/algebra?source=screen", PUBLISHER, "amal")
        assert {(await badr.hear("track"))["track"]["source"] for _ in range(2)} == {"screen", "screen_audio"}


async def test_the_same_identity_again_takes_the_place_of_the_first(server: Server) -> None:
    first = await server.post("/whip/algebra", PUBLISHER, "amal")
    await server.post("/whip/algebra", PUBLISHER, "amal")
    assert server.whip.streams == 1
    assert code(await server.delete(first.headers["Location"], "amal")) == (404, "unknown_resource")


async def test_a_viewer_is_counted_and_not_seen(server: Server) -> None:
    async with Ear(server) as badr:
        created = await server.post("/whep/algebra", VIEWER, "amal")
        assert (created.status, created.text.count("a=sendonly")) == (201, 2)
        assert server.signaling.participants == 2
        await server.post("/whep/algebra", VIEWER, "amal")
        assert server.signaling.participants == 3
        await server.post("/whip/algebra", PUBLISHER, "chen")
        assert (await badr.hear("participant"))["participant"]["identity"] == "chen"
        assert (await server.delete(created.headers["Location"], "amal")).status == 200
        assert server.signaling.participants == 3


async def test_viewers_of_a_track_and_of_a_layer(server: Server) -> None:
    async with Ear(server) as badr:
        await server.post("/whip/algebra", PUBLISHER, "chen")
        tracks = {(told := (await badr.hear("track"))["track"])["source"]: told["id"] for _ in range(2)}
        assert (await server.post(f"/whep/algebra?track={tracks['camera']}&layer=q", VIEWER, "amal")).status == 201
        assert (await server.post(f"/whep/algebra?track={tracks['microphone']}", VIEWER, "amal")).status == 201
        sound = description([section("0", "audio", "recvonly")], "0")
        refused = await server.post(f"/whep/algebra?track={tracks['camera']}", sound, "amal")
        assert code(refused) == (422, "unusable_offer")
        assert server.signaling.participants == 4


async def test_ice_restart_and_trickle(server: Server) -> None:
    created = await server.post("/whip/algebra", PUBLISHER, "amal")
    resource, tag = created.headers["Location"], created.headers["ETag"]
    for if_match in (tag, "*", f'"other", {tag}'):
        trickled = await server.patch(resource, TRICKLE, "amal", if_match)
        assert (trickled.status, trickled.body) == (204, b"")
    restarted = await server.patch(resource, RESTART, "amal", "*")
    assert (restarted.status, restarted.headers["Content-Type"].split(";")[0]) == (200, FRAGMENT)
    assert restarted.headers["ETag"] != tag
    ufrags = [re.findall(r"a=ice-ufrag:(\S+)", text)[0] for text in (created.text, restarted.text)]
    assert ufrags[0] != ufrags[1]
    assert "a=candidate:" in restarted.text
    assert code(await server.patch(resource, TRICKLE, "amal", tag)) == (412, "stale_etag")
    again = await server.patch(
        resource, RESTART.replace("w" * 24, "v" * 24).replace("wxyz", "vxyz"), "amal", restarted.headers["ETag"]
    )
    assert again.status == 200
    assert len({tag, restarted.headers["ETag"], again.headers["ETag"]}) == 3


async def test_limits_are_counted_for_each_person(server: Server) -> None:
    async with Ear(server):
        for _ in range(3):
            assert (await server.post("/whep/algebra", VIEWER, "amal")).status == 201
        assert code(await server.post("/whep/algebra", VIEWER, "amal")) == (429, "too_many")
        assert (await server.post("/whep/algebra", VIEWER, "chen")).status == 201


async def test_a_browser_of_another_site_may_ask(server: Server) -> None:
    for path, methods, accepts in (
        ("/whip/algebra", "POST, OPTIONS", "Accept-Post"),
        ("/whep/algebra", "POST, OPTIONS", "Accept-Post"),
        ("/whip/algebra/x", "PATCH, DELETE, OPTIONS", "Accept-Patch"),
    ):
        answer = await server.ask("OPTIONS", path, Origin="https://school.example")
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Methods"] == methods
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, If-Match"
        assert accepts in answer.headers
        refused = await server.ask("GET", path)
        for each in (answer, refused):
            assert each.headers["Access-Control-Allow-Origin"] == "*"
            exposed = each.headers["Access-Control-Expose-Headers"]
            assert {"Location", "ETag", "Link", "Accept-Patch"} <= set(exposed.split(", "))


async def test_the_token_ends_the_stream(server: Server) -> None:
    created = await server.post("/whip/algebra", PUBLISHER, "amal", seconds=-4.5)
    assert created.status == 201
    async with asyncio.timeout(5):
        while server.whip.streams:
            await asyncio.sleep(0.1)
    assert server.rows() == (0, 0, 0, 0)


async def test_a_server_that_goes_down_takes_no_streams(server: Server) -> None:
    await server.post("/whip/algebra", PUBLISHER, "amal")
    await server.signaling.close()
    assert server.whip.streams == 0
    assert code(await server.post("/whip/algebra", PUBLISHER, "amal")) == (503, "shutting_down")


AUDIO, VIDEO = section("0", "audio", "sendonly"), section("1", "video", "sendonly")
BAD_POSTS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "no token": (401, "no_token", {"token": None}),
    "not a token": (401, "bad_token", {"token": "x.y.z"}),
    "an expired token": (401, "token_expired", {"token": token("amal", seconds=-60)}),
    "a token for another room": (403, "wrong_room", {"path": "/whip/geometry"}),
    "a path trick": (403, "bad_room_name", {"path": "/whip/..%2falgebra"}),
    "no grant at all": (403, "not_allowed", {"token": token("amal", publish=())}),
    "no grant for one of two": (403, "not_allowed", {"token": token("amal", publish=[Source.CAMERA])}),
    "no grant for a screen": (
        403, "not_allowed", {"path": "/whip/algebra?source=screen", "token": token("amal", publish=[Source.CAMERA])}
    ),
    "an unknown source": (400, "bad_query", {"path": "/whip/algebra?source=whiteboard"}),
    "an unknown query": (400, "bad_query", {"path": "/whip/algebra?sorce=screen"}),
    "a query that contradicts itself": (400, "bad_query", {"path": "/whip/algebra?source=screen&source=camera"}),
    "no content type": (415, "wrong_content_type", {"type": None}),
    "JSON": (415, "wrong_content_type", {"type": "application/json"}),
    "an answer that is not wanted": (406, "not_acceptable", {"accept": "application/json, text/*;q=0.5"}),
    "an answer that is ruled out": (406, "not_acceptable", {"accept": "application/sdp;q=0"}),
    "an empty body": (400, "bad_offer", {"body": ""}),
    "no SDP": (400, "bad_offer", {"body": "{}"}),
    "broken UTF-8": (400, "bad_message", {"body": b"v=0\r\n\xff"}),
    "half an offer": (400, "bad_offer", {"body": PUBLISHER[: PUBLISHER.index("a=rtcp-mux")]}),
    "too long": (413, "too_large", {"body": "v=0\r\n" * 20_000}),
    "a viewer's offer": (422, "unusable_offer", {"body": VIEWER}),
    "one section that receives": (
        422, "unusable_offer", {"body": description([AUDIO, section("1", "video", "recvonly")], "01")}
    ),
    "two cameras": (422, "unusable_offer", {"body": description([VIDEO, section("2", "video", "sendonly")], "12")}),
    "a rejected section": (422, "unusable_offer", {"body": description([AUDIO, VIDEO.replace(" 9 ", " 0 ")], "01")}),
    "a section of data": (
        422, "unusable_offer",
        {"body": description([AUDIO, VIDEO.replace("m=video", "m=application")], "01")},
    ),
    "a mid twice": (400, "bad_offer", {"body": description([AUDIO, VIDEO.replace("mid:1", "mid:0")], "0")}),
}  # fmt: skip


@pytest.mark.parametrize(("status", "expected", "given"), BAD_POSTS.values(), ids=BAD_POSTS.keys())
async def test_a_post_that_is_refused(server: Server, status: int, expected: str, given: dict[str, Any]) -> None:
    async with Ear(server) as badr:
        rows = server.rows()
        headers = {"Content_Type": given.get("type", SDP), "Accept": given.get("accept")}
        answer = await server.ask(
            "POST",
            given.get("path", "/whip/algebra"),
            given.get("body", PUBLISHER),
            token=given.get("token", token("amal")),
            **{name: value for name, value in headers.items() if value is not None},
        )
        assert code(answer) == (status, expected)
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        assert (server.rows(), server.whip.streams) == (rows, 0)
        assert badr.joined["seq"] == 1
        assert server.signaling.participants == 1


@pytest.mark.parametrize(
    ("path", "offer", "grants", "expected"),
    [
        ("/whep/algebra", PUBLISHER, {}, (422, "unusable_offer")),
        ("/whep/algebra", VIEWER.replace("recvonly", "sendrecv"), {}, (422, "unusable_offer")),
        ("/whep/algebra", VIEWER.replace("recvonly", "inactive"), {}, (422, "unusable_offer")),
        ("/whep/algebra", VIEWER, {"subscribe": False}, (403, "not_allowed")),
        ("/whep/algebra?track=nobody", VIEWER, {}, (404, "unknown_track")),
        ("/whep/algebra?track=", VIEWER, {}, (400, "bad_query")),
        ("/whep/algebra?track=" + "t" * 65, VIEWER, {}, (400, "bad_query")),
        ("/whep/algebra?layer=x", VIEWER, {}, (400, "bad_query")),
        ("/whep/algebra?source=screen", VIEWER, {}, (400, "bad_query")),
    ],
)
async def test_a_viewer_that_is_refused(
    server: Server, path: str, offer: str, grants: dict[str, Any], expected: tuple[int, str]
) -> None:
    async with Ear(server):
        assert code(await server.post(path, offer, "amal", **grants)) == expected
        assert (server.signaling.participants, server.whip.streams) == (1, 0)


async def test_there_is_nothing_to_see_in_an_empty_room(server: Server) -> None:
    refused = await server.post("/whep/algebra", VIEWER, "amal")
    assert code(refused) == (409, "not_started")
    assert refused.headers["Retry-After"] == "5"
    assert server.signaling.rooms == 0


BAD_PATCHES: dict[str, tuple[int, str, dict[str, Any]]] = {
    "no token": (401, "no_token", {"token": None}),
    "somebody else's token": (404, "unknown_resource", {"token": token("badr")}),
    "another room's token": (403, "wrong_room", {"token": token("amal", room="geometry")}),
    "another address": (404, "unknown_resource", {"path": "/whip/algebra/" + "A" * 32}),
    "another protocol": (404, "unknown_resource", {"protocol": "whep"}),
    "SDP": (415, "wrong_content_type", {"type": SDP}),
    "no content type": (415, "wrong_content_type", {"type": None}),
    "no If-Match": (428, "if_match_required", {"if_match": None}),
    "a stale ETag": (412, "stale_etag", {"if_match": '"stale"'}),
    "a weak ETag": (412, "stale_etag", {"if_match": "W/{tag}"}),
    "an ETag without quotes": (412, "stale_etag", {"if_match": "bare"}),
    "too long": (413, "too_large", {"body": "a=x\r\n" * 20_000}),
    "no fragment": (400, "bad_fragment", {"body": "v=0\r\n"}),
    "nothing": (400, "bad_fragment", {"body": ""}),
    "half of the credentials": (400, "bad_fragment", {"body": "a=ice-ufrag:wxyz\r\n"}),
    "a short password": (400, "bad_fragment", {"body": "a=ice-ufrag:wxyz\r\na=ice-pwd:short\r\n"}),
    "a broken candidate": (400, "bad_fragment", {"body": TRICKLE.replace(" udp ", " ")}),
    "two generations": (
        400, "bad_fragment", {"body": TRICKLE + RESTART + TRICKLE[TRICKLE.index("m=") :].replace("mid:0", "mid:1")}
    ),
    "a section of another offer": (422, "unusable_fragment", {"body": TRICKLE.replace("mid:0", "mid:7")}),
    "the old password": (422, "unusable_fragment", {"body": TRICKLE.replace("ufrag:abcd", "ufrag:wxyz")}),
}  # fmt: skip


@pytest.mark.parametrize(("status", "expected", "given"), BAD_PATCHES.values(), ids=BAD_PATCHES.keys())
async def test_a_patch_that_is_refused(server: Server, status: int, expected: str, given: dict[str, Any]) -> None:
    created = await server.post("/whip/algebra", PUBLISHER, "amal")
    resource = created.headers["Location"].replace("whip", given.get("protocol", "whip"))
    if_match = given.get("if_match", "*")
    if if_match is not None:
        if_match = if_match.replace("{tag}", created.headers["ETag"])
    headers = {"Content_Type": given.get("type", FRAGMENT), "If_Match": if_match}
    answer = await server.ask(
        "PATCH",
        given.get("path", resource),
        given.get("body", RESTART),
        token=given.get("token", token("amal")),
        **{name: value for name, value in headers.items() if value is not None},
    )
    assert code(answer) == (status, expected)
    trickled = await server.patch(created.headers["Location"], TRICKLE, "amal", created.headers["ETag"])
    assert trickled.status == 204


@pytest.mark.parametrize("protocol", ["whip", "whep"])
@pytest.mark.parametrize(
    ("path", "methods"),
    [("algebra", ("GET", "HEAD", "PUT", "PATCH", "DELETE")), ("algebra/x", ("GET", "HEAD", "PUT", "POST", "PROPFIND"))],
)
async def test_other_methods_are_kept_for_the_future(
    server: Server, protocol: str, path: str, methods: tuple[str, ...]
) -> None:
    for method in methods:
        answer = await server.ask(method, f"/{protocol}/{path}", token=token("amal"))
        assert answer.status == 405
        assert answer.headers["Allow"] == ("POST, OPTIONS" if path == "algebra" else "PATCH, DELETE, OPTIONS")


async def test_a_body_that_does_not_come() -> None:
    async with serve(config=WhipConfig(body_timeout_s=0.2)) as impatient:
        host, port = impatient.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /whip/algebra HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token('amal')}\r\n"
            f"Content-Type: {SDP}\r\nContent-Length: 100\r\n\r\nv=0\r\n".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        assert impatient.whip.streams == 0
        writer.write(b" " * 95)  # aiohttp reads on, for 10 s at most
        writer.close()
        await writer.wait_closed()


MANUAL = (Path(signaling.__file__).parent / "whip.md").read_text()
OFFERS = {"<offer to send>": PUBLISHER, "<offer to receive>": VIEWER}


async def test_the_examples_of_the_manual(server: Server) -> None:
    """Each is sent as it stands; what it gets has the status and the headers that stand below it."""
    known = {"token": token("amal")}
    examples = dict(re.findall(r"```http (\w+)\n(.*?)```", MANUAL, re.DOTALL))
    for name in ("publish", "trickle", "restart", "watch", "options", "end"):
        *asked, expected = examples[name].rstrip("\n").split("\n\n")
        (request_line, *lines), body = asked[0].splitlines(), "\n\n".join(asked[1:])
        method, path = fill(request_line, known).split(" ")
        headers = {line.partition(": ")[0].replace("-", "_"): line.partition(": ")[2] for line in lines}
        answer = await server.ask(
            method, path, OFFERS.get(body, body), **{key: fill(value, known) for key, value in headers.items()}
        )
        status, *promised = expected.splitlines()
        assert answer.status == int(status), (name, answer.text)
        for line in promised:
            key, _, value = line.partition(": ")
            match = re.fullmatch(
                re.escape(value).replace("<id>", r"[\w-]+").replace("<tag>", r'"[\w-]+"'), answer.headers[key]
            )
            assert match or answer.headers[key].startswith(f"{value};"), (name, key, answer.headers[key])
        if name in {"publish", "restart"}:
            known["tag"] = answer.headers["ETag"]
            known["id"] = answer.headers.get("Location", known.get("id", "")).rpartition("/")[2]


def fill(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"<{name}>", value)
    return text
