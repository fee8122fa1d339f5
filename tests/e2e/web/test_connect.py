"""Room.connect: the token's way, one offer for everything, and plain reasons when a room does not open or closes."""

from __future__ import annotations

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page

from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import FakeServer, make_participant, make_token, make_track
from tests.e2e.web.sdk_page import SdkError, SdkPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def sdk(server: FakeServer, peer: MediaPeer, page: Page) -> SdkPage:
    sdk = SdkPage(page, server)
    await sdk.open()
    return sdk


def sections(offer: str) -> list[list[str]]:
    """Return the lines of each media section."""
    return [section.splitlines() for section in ("\r\n" + offer).split("\r\nm=")[1:]]


def codec_names(section: list[str]) -> set[str]:
    return {line.split()[1].split("/")[0] for line in section if line.startswith("a=rtpmap:")}


async def test_the_token_travels_as_a_subprotocol(sdk: SdkPage) -> None:
    token = make_token(name="Lina")
    await sdk.connect(token)
    assert sdk.server.subprotocols == ["halqa.v1", f"bearer.{token}"]


async def test_the_offer_holds_every_section_once(sdk: SdkPage) -> None:
    await sdk.connect(name="Lina", slots={"audio": 2, "video": 3, "screen": 1})
    join = sdk.server.all_heard("join")[0]
    kinds = [
        (lines[0].split()[0], next(line for line in lines if line in ("a=sendonly", "a=recvonly")))
        for lines in sections(join["offer"])
    ]
    sending = [(kind, "a=sendonly") for kind in ("audio", "video", "video", "audio")]
    assert kinds == sending + [("audio", "a=recvonly")] * 2 + [("video", "a=recvonly")] * 4
    assert "a=simulcast:send q;h;f" in sections(join["offer"])[1]
    assert [slot["kind"] for slot in join["slots"]] == ["audio"] * 2 + ["video"] * 3 + ["screen"]
    assert [slot["mid"] for slot in join["slots"]] == ["4", "5", "6", "7", "8", "9"]
    assert join["name"] == "Lina"


async def test_a_nameless_guest_sends_no_empty_name(sdk: SdkPage) -> None:
    await sdk.connect(name="")
    assert "name" not in sdk.server.all_heard("join")[0]


async def test_a_chosen_codec_is_the_only_one_sent(sdk: SdkPage) -> None:
    for codec in ("VP8", "H264", "VP9", "AV1"):
        offer = await sdk.run(
            """
            const { Connection } = await import('/sdk/halqa/connection.js');
            const connection = new Connection({ codec: values.codec, scalabilityMode: 'L3T3_KEY' });
            const offer = await connection.createOffer();
            connection.close();
            return offer;
            """,
            codec=codec,
        )
        offered = sections(offer)
        for camera_or_screen in (offered[1], offered[2]):
            assert codec_names(camera_or_screen) == {codec, "rtx"}
        assert codec_names(offered[-1]) >= {"VP8", "H264", "VP9", "AV1"}  # what others send is theirs to choose
        assert ("a=simulcast:send q;h;f" in offered[1]) == (codec in ("VP8", "H264"))


async def test_a_codec_that_the_browser_lacks_is_an_error(sdk: SdkPage) -> None:
    with pytest.raises(SdkError) as caught:
        await sdk.connect(codec="H266")
    assert caught.value.code == "codec_unsupported"
    assert (await sdk.event("state", "event.state === 'closed'"))["reason"] == "codec_unsupported"


async def test_the_snapshot_and_news_make_the_roster(sdk: SdkPage) -> None:
    server = sdk.server
    server.participants = [make_participant("p-omar", "Omar", make_track("t1", "camera"))]
    await sdk.connect(name="Lina")
    roster = "return [room.local, ...room.participants.values()].map((p) => [p.name, p.isLocal, [...p.tracks.keys()]])"
    assert await sdk.run(roster) == [["Lina", True, []], ["Omar", False, ["t1"]]]

    await server.send("participant", participant=make_participant("p-salma", "Salma"))
    await server.send("track", participant="p-salma", track=make_track("t2", "microphone"))
    await server.send("track", participant="p-omar", track=make_track("t1", "camera", "ended"))
    assert (await sdk.event("track", "event.track.state === 'ended'"))["who"] == "Omar"
    assert await sdk.run(roster) == [["Lina", True, []], ["Omar", False, []], ["Salma", False, ["t2"]]]

    await server.send("left", participant="p-omar", reason="disconnected")
    assert (await sdk.event("participant-left"))["reason"] == "disconnected"
    assert await sdk.run("return room.seq") == 5


async def test_media_flowing_is_what_connected_means(sdk: SdkPage) -> None:
    await sdk.connect()
    await sdk.event("state", "event.state === 'connected'")
    assert [event["state"] for event in await sdk.events("state")] == ["connecting", "connected"]


async def test_a_room_connects_once(sdk: SdkPage) -> None:
    await sdk.connect()
    with pytest.raises(SdkError, match="wrong_state"):
        await sdk.connect()


async def test_a_refused_join_closes_with_the_servers_code(sdk: SdkPage) -> None:
    sdk.server.replies["join"] = lambda _: {"type": "error", "code": "bad_offer", "message": "no"}
    with pytest.raises(SdkError) as caught:
        await sdk.connect()
    assert caught.value.code == "bad_offer"
    assert await sdk.run("return [room.state, room.reason]") == ["closed", "bad_offer"]


async def test_why_a_door_stays_shut(sdk: SdkPage) -> None:
    doors: list[tuple[int, object, str]] = [
        (401, {"error": {"code": "token_expired", "message": "expired"}}, "token_expired"),
        (403, {"error": {"code": "wrong_room", "message": "other room"}}, "wrong_room"),
        (401, {}, "bad_token"),
        (503, None, "shutting_down"),
        (426, {"error": {"code": "upgrade_required", "message": "WebSocket"}}, "unreachable"),
        (500, {}, "unreachable"),
    ]
    for status, body, code in doors:
        sdk.server.refusal = web.json_response(body, status=status)
        with pytest.raises(SdkError) as caught:
            await sdk.run("await new sdk.Room().connect(values.address, 'a.b.c')", address=sdk.server.room_address)
        assert caught.value.code == code


async def test_no_server_is_unreachable(sdk: SdkPage) -> None:
    with pytest.raises(SdkError) as caught:
        await sdk.run("await room.connect('ws://127.0.0.1:9/v1/rooms/algebra/ws', 'a.b.c')")
    assert caught.value.code == "unreachable"


async def test_close_codes_become_reasons(sdk: SdkPage) -> None:
    expected = {
        1000: "left",
        1001: "shutting_down",
        1006: "connection_lost",
        1011: "internal",
        4000: "bad_message",
        4001: "token_expired",
        4003: "join_timeout",
        4004: "replaced",
        4005: "media_failed",
        4010: "shutting_down",
        4999: "connection_lost",
    }
    reasons = await sdk.run(
        "const { closeReason } = await import('/sdk/halqa/errors.js'); return values.codes.map(closeReason)",
        codes=list(expected),
    )
    assert reasons == list(expected.values())
    await sdk.connect()
    await sdk.server.close(4004)
    assert (await sdk.event("state", "event.state === 'closed'"))["reason"] == "replaced"


async def test_the_end_lets_go_of_the_devices(sdk: SdkPage) -> None:
    await sdk.connect()
    await sdk.run("window.camera = (await room.publishCamera()).mediaTrack")
    await sdk.server.close(4011)
    assert (await sdk.event("closed"))["reason"] == "ended"
    assert await sdk.run("return camera.readyState") == "ended"
    with pytest.raises(SdkError, match="wrong_state"):
        await sdk.run("await room.publishCamera()")


async def test_connected_media_is_not_given_up(sdk: SdkPage) -> None:
    await sdk.page.clock.install()
    await sdk.connect()
    await sdk.event("state", "event.state === 'connected'")
    await sdk.page.clock.fast_forward(25_000)
    assert await sdk.run("return room.state") == "connected"


async def test_an_answer_that_leads_nowhere_is_given_up(sdk: SdkPage) -> None:
    answer = sdk.server.answer
    assert answer is not None

    async def without_candidates(offer: str) -> str:
        lines = (await answer(offer)).split("\r\n")
        return "\r\n".join(line for line in lines if not line.startswith("a=candidate"))

    sdk.server.answer = without_candidates
    await sdk.page.clock.install()
    await sdk.connect()
    await sdk.page.clock.fast_forward(21_000)
    assert (await sdk.event("state", "event.state === 'closed'"))["reason"] == "media_failed"


async def test_silence_is_noticed(sdk: SdkPage) -> None:
    await sdk.page.clock.install()
    sdk.server.replies["ping"] = lambda _: None
    await sdk.connect()
    await sdk.event("state", "event.state === 'connected'")
    for _ in range(3):
        await sdk.page.clock.run_for(10_000)
    await sdk.event("reconnecting", "!event.signal && event.media")
    assert (await sdk.server.hears("resume"))["seq"] == 1
    assert len(sdk.server.all_heard("ping")) >= 2


async def test_answered_pings_keep_it_open(sdk: SdkPage) -> None:
    await sdk.page.clock.install()
    await sdk.connect()
    for count in range(1, 5):
        await sdk.page.clock.run_for(10_000)
        await sdk.server.hears("ping", lambda _, count=count: len(sdk.server.all_heard("ping")) >= count)  # type: ignore[misc]
        await sdk.run("await room.view([])")  # the pong is in before this reply
    assert await sdk.run("return room.state") != "closed"


async def test_leaving_says_goodbye(sdk: SdkPage) -> None:
    await sdk.connect()
    await sdk.run("window.camera = (await room.publishCamera()).mediaTrack; room.leave()")
    await sdk.server.hears("leave")
    assert await sdk.run("return [room.state, room.reason, camera.readyState]") == ["closed", "left", "ended"]


async def test_leaving_while_connecting(sdk: SdkPage) -> None:
    sdk.server.replies["join"] = lambda _: None
    joining = "window.joining = room.connect(values.address, 'a.b.c').catch((error) => error.code)"
    await sdk.run(joining, address=sdk.server.room_address)
    await sdk.server.hears("join")
    assert await sdk.run("room.leave(); return joining") == "closed"


async def test_what_it_does_not_understand_is_passed_over(sdk: SdkPage) -> None:
    await sdk.connect()
    for text in ("", "[]", "null", "{", '"joined"', '{"type": 5}', '{"re": 1}'):
        await sdk.server.send_text(text)
    await sdk.server.send("hands", hands=["p-omar"])
    await sdk.server.send("left", participant="p-nobody", reason="left")
    await sdk.server.send("track", participant="p-nobody", track=make_track("t9", "camera"))
    await sdk.server.send("slots", slots=[{"mid": "99", "track": "t9", "participant": "p-nobody", "encoding": "f"}])
    await sdk.server.send("error", code="internal", message="something")
    assert (await sdk.event("error"))["code"] == "internal"
    assert await sdk.run("return room.state") != "closed"
