"""The page's arithmetic: how a grid is fitted, what is asked of the server, what a level and a token say."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.web.fake_server import FakeServer, make_token

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOTS = [{"mid": str(mid), "kind": "video", "track": None} for mid in range(3)] + [
    {"mid": "9", "kind": "screen", "track": None}
]


async def call(page: Page, server: FakeServer, module: str, body: str, *values: Any) -> Any:
    """Evaluate an expression over `module` and `values` in a page."""
    if page.url == "about:blank":
        await page.goto(f"{server.origin}/blank")
    return await page.evaluate(
        f"async ({{ path, values }}) => {{ const module = await import(path); return {body}; }}",
        {"path": f"/sdk/{module}", "values": list(values)},
    )


async def test_tiles_fill_the_window(page: Page, server: FakeServer) -> None:
    desktop = [(1, 1280, 600, 1), (2, 1280, 600, 2), (4, 1280, 600, 2), (9, 1280, 600, 3)]
    phone = [(2, 390, 700, 1), (6, 390, 700, 2)]
    for count, width, height, columns in desktop + phone:
        tile = await call(page, server, "page/grid.js", "module.fitGrid(...values, 8)", count, width, height)
        rows = -(-count // tile["columns"])
        assert tile["columns"] == columns, count
        assert tile["width"] * columns + 8 * (columns - 1) <= width
        assert tile["height"] * rows + 8 * (rows - 1) <= height


async def test_a_crowd_scrolls_rather_than_shrinks(page: Page, server: FakeServer) -> None:
    tile = await call(page, server, "page/grid.js", "module.fitGrid(100, 390, 600, 8)")
    assert tile["columns"] == 2
    assert tile["width"] >= 132


def camera(track: str, height: int = 300, *, in_sight: bool = True, live: bool = True) -> dict[str, object]:
    return {"track": track, "height": height, "inSight": in_sight, "live": live}


async def plan(page: Page, server: FakeServer, slots: Any, cameras: Any, stage: int = 0) -> list[list[Any]]:
    body = "module.planView(...values).map(({ mid, track, height, frameRate }) => [mid, track, height, frameRate])"
    planned: list[list[Any]] = await call(page, server, "page/viewing.js", body, slots, cameras, stage)
    return planned


async def test_with_slots_for_all_the_server_chooses(page: Page, server: FakeServer) -> None:
    assert await plan(page, server, SLOTS, [camera("a"), camera("b")]) == [
        ["0", "auto", 360, None],
        ["1", "auto", 360, None],
        ["2", "auto", 360, None],
        ["9", "auto", None, None],
    ]


async def test_small_tiles_need_half_of_the_frames(page: Page, server: FakeServer) -> None:
    assert (await plan(page, server, SLOTS, [camera("a", 100)], 700))[0] == ["0", "auto", 180, 15]
    assert (await plan(page, server, SLOTS, [camera("a", 181)], 700))[-1] == ["9", "auto", 720, None]


async def test_with_too_few_slots_those_in_sight_get_them(page: Page, server: FakeServer) -> None:
    slots = [dict(slot) for slot in SLOTS]
    slots[1]["track"] = "d"
    cameras = [camera("a", in_sight=False), camera("b"), camera("c", live=False), camera("d")]
    planned = await plan(page, server, slots, cameras)
    assert [entry[:2] for entry in planned] == [["0", "b"], ["1", "d"], ["2", None], ["9", "auto"]]


async def test_levels_are_shown_in_decibels(page: Page, server: FakeServer) -> None:
    body = "[0, 0.001, 0.01, 0.1, 1].map((peak) => module.levelOf(new Float32Array(64).fill(peak)))"
    levels = await call(page, server, "page/meter.js", body)
    assert levels[:2] == pytest.approx([0, 0], abs=1e-6)
    assert levels[2] == pytest.approx((60 - 40) / 48)
    assert levels[4] == 1


async def test_what_a_token_says(page: Page, server: FakeServer) -> None:
    body = """((claims) => [claims.identity, claims.name, claims.room, claims.mayPublish('camera'),
        claims.mayPublish('screen'), claims.maySubscribe])(module.readClaims(values[0]))"""
    token = make_token(sub="ليلى", name="ليلى 🌙", publish=["camera"], subscribe=False)
    assert await call(page, server, "halqa/token.js", body, token) == [
        "ليلى",
        "ليلى 🌙",
        "algebra",
        True,
        False,
        False,
    ]
    for garbage in ("", "a", "a.b.c", "..", "a.bm90IGpzb24.c"):
        assert await call(page, server, "halqa/token.js", "module.readClaims(values[0])", garbage) is None
