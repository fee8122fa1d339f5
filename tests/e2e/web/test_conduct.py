"""The whole protocol through the SDK: what a call sends, and what a message of the server becomes."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import LOCAL_ID, FakeServer, make_participant, make_track
from tests.e2e.web.sdk_page import SdkError, SdkPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("raiseHand(true)", {"type": "hand", "raised": True}),
    ("react('👏')", {"type": "react", "reaction": "👏"}),
    ("send('hi')", {"type": "send", "topic": "chat", "body": "hi", "to": "all"}),
    (
        "send({ a: 1 }, { topic: 'board', to: { participants: ['p1'] } })",
        {"type": "send", "topic": "board", "body": {"a": 1}, "to": {"participants": ["p1"]}},
    ),
    ("setValue('away', true)", {"type": "state", "scope": "own", "key": "away", "value": True}),
    (
        "setValue('slide', 3, { scope: 'room', ifVersion: 7 })",
        {"type": "state", "scope": "room", "key": "slide", "value": 3, "if_version": 7},
    ),
    ("moderation.admit('all')", {"type": "admit", "participant": "all"}),
    ("moderation.sendBack('p1')", {"type": "send_back", "participant": "p1"}),
    (
        "moderation.permit('p1', { publish: ['camera'], send: false })",
        {"type": "permit", "participant": "p1", "publish": ["camera"], "send": False},
    ),
    ("moderation.mute('all')", {"type": "mute_participant", "participant": "all", "source": "microphone"}),
    ("moderation.askToUnmute('p1')", {"type": "ask_unmute", "participant": "p1", "source": "microphone"}),
    (
        "moderation.remove('p1', { reason: 'no', ban: true })",
        {"type": "remove", "participant": "p1", "reason": "no", "ban": True},
    ),
    ("moderation.lock('waiting')", {"type": "lock", "door": "waiting"}),
    ("moderation.spotlight(['p1'])", {"type": "spotlight", "participants": ["p1"]}),
    ("moderation.lowerHand('p1')", {"type": "hand", "raised": False, "participant": "p1"}),
    ("moderation.record('start')", {"type": "record", "action": "start"}),
    ("moderation.end('bye')", {"type": "end", "reason": "bye"}),
]


@pytest_asyncio.fixture(loop_scope="session")
async def sdk(server: FakeServer, peer: MediaPeer, page: Page) -> SdkPage:
    sdk = SdkPage(page, server)
    await sdk.open()
    server.participants = [make_participant("p-omar", "Omar", make_track("t1", "microphone"))]
    server.room = {
        "door": "waiting",
        "spotlight": ["p-omar"],
        "hands": ["p-omar"],
        "state": {"slide": {"value": 2, "version": 1}},
        "waiting": [{"id": "v1", "identity": "v1", "name": "Dana", "role": "student"}],
        "recording": "paused",
    }
    await sdk.connect(slots={"audio": 1, "video": 1, "screen": 1})
    await sdk.event("state", "event.state === 'connected'")
    return sdk


async def test_every_call_is_one_request(sdk: SdkPage) -> None:
    for call, expected in REQUESTS:
        await sdk.run(f"await room.{call}")
        sent = dict(sdk.server.heard[-1])
        del sent["id"]
        assert sent == expected, call


async def test_refused_calls_reject(sdk: SdkPage) -> None:
    sdk.server.replies["lock"] = lambda _: {"type": "error", "code": "not_allowed", "message": "no"}
    with pytest.raises(SdkError, match="not_allowed"):
        await sdk.run("await room.moderation.lock('locked')")


async def test_the_snapshot_holds_the_class(sdk: SdkPage) -> None:
    found = await sdk.run("""
        const { door, spotlight, hands, visitors, recording, permissions: { moderate } } = room.decisions;
        const slide = room.decisions.values.get('slide').value;
        const waiting = [...visitors.values()].map(({ name }) => name);
        return { door, spotlight, hands, slide, waiting, recording, may: moderate };
    """)
    assert found == {
        "door": "waiting",
        "spotlight": ["p-omar"],
        "hands": ["p-omar"],
        "slide": 2,
        "waiting": ["Dana"],
        "recording": "paused",
        "may": True,
    }


async def test_messages_become_events(sdk: SdkPage) -> None:
    server = sdk.server
    dana = {"id": "v2", "identity": "v2", "name": "Salma", "role": "student"}
    told: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
        ("hands", {"raised": [LOCAL_ID]}, "hands", {"now": ["p-omar", LOCAL_ID]}),
        ("hands", {"lowered": ["p-omar"]}, "hands", {"now": [LOCAL_ID]}),
        ("room", {"door": "open", "spotlight": []}, "room", {"door": "open", "spotlight": []}),
        ("knock", {"participant": dana}, "visitor", {"who": "Salma", "outcome": "waits"}),
        ("knock_over", {"participant": "v2", "outcome": "gone"}, "visitor", {"who": "Salma", "outcome": "gone"}),
        ("recording", {"state": "active"}, "recording", {"now": "active"}),
        ("message", {"topic": "notice", "body": "5 min"}, "message", {"topic": "notice", "body": "5 min", "who": None}),
        ("reaction", {"participant": "p-omar", "reaction": "👏"}, "reaction", {"who": "Omar", "reaction": "👏"}),
        ("state", {"key": "slide", "value": 3}, "value", {"key": "slide", "value": 3, "who": None}),
        (
            "state",
            {"key": "away", "value": True, "participant": "p-omar"},
            "value",
            {"key": "away", "value": True, "who": "Omar"},
        ),
        ("asked", {"source": "camera", "participant": "p-omar"}, "asked", {"source": "camera", "by": "Omar"}),
        ("presence", {"participant": "p-omar", "suspended": True}, "participant", {"suspended": True}),
        ("quality", {"participants": [{"participant": "p-omar", "level": "poor"}]}, "participant", {"quality": "poor"}),
        (
            "speakers",
            {"speakers": [{"participant": "p-omar", "track": "t1", "level": 0.5}]},
            "speakers",
            {"now": [{"participant": "p-omar", "track": "t1", "level": 0.5}]},
        ),
        ("permissions", {"participant": LOCAL_ID, "permissions": {"publish": []}}, "permissions", {"who": "Lina"}),
        ("draining", {"ends_at": None}, "draining", {"endsAt": None}),
    ]
    for kind, fields, event, expected in told:
        before = len(await sdk.events(event))
        await server.send(kind, **fields)
        await sdk.page.wait_for_function(
            "([name, count]) => events.filter((event) => event.name === name).length > count", arg=[event, before]
        )
        last = (await sdk.events(event))[-1]
        assert expected.items() <= last.items(), kind
    assert await sdk.run("return room.permissions.publish") == []


async def test_muted_by_a_moderator_is_muted(sdk: SdkPage) -> None:
    await sdk.run("await room.publishMicrophone()")
    await sdk.server.send("track", participant=LOCAL_ID, track=make_track("t-microphone", "microphone", "muted"))
    assert (await sdk.event("muted-by-moderator"))["source"] == "microphone"
    assert await sdk.run("return room.localTrack('microphone').muted") is True
    assert sdk.server.all_heard("mute") == []  # it is so already


async def test_everybody_has_a_volume_of_their_own(sdk: SdkPage) -> None:
    mid = sdk.server.slot_mids("audio")[0]
    await sdk.run("""
        window.players = [];
        window.Audio = class extends Audio { constructor() { super(); players.push(this); } };
        const { Sound } = await import('/sdk/halqa/sound.js');
        window.sound = new Sound(() => {});
        window.slot = { ...room.slots.find(({ kind }) => kind === 'audio'), participant: 'p-omar' };
        sound.follow([slot]);
        sound.setVolume('p-omar', 0.25, [slot]);
        await sound.setDevice('');
    """)
    assert mid
    assert await sdk.run("return players.map(({ volume }) => volume)") == [0.25]
    await sdk.run("sound.follow([{ ...slot, participant: 'p-salma' }])")
    assert await sdk.run("return [players[0].volume, sound.volumeOf('p-omar')]") == [1, 0.25]
