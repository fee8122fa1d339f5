"""FFmpeg 8 and libwebrtc publish by WHIP, aiortc and libwebrtc decode by WHEP: programs of their own, none is ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.whip import PATIENCE_S, Server, program, serve, token, watch

pytestmark = pytest.mark.timeout(90)


async def wait_for_streams(server: Server, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while server.whip.streams != count:
            await asyncio.sleep(0.05)


async def test_ffmpeg_publishes_and_aiortc_decodes(tmp_path: Path) -> None:
    """FFmpeg offers a=setup:passive: the server opens DTLS. H264 and Opus; FFmpeg ends the stream by DELETE."""
    async with serve() as server:
        url = f"{server.url}/whip/algebra"
        async with program("whip_publisher", url, token("obs"), "10", str(tmp_path)) as publisher:
            await wait_for_streams(server, 1)
            seen = await watch(server, "amal")
            assert (seen["width"], seen["height"], seen["deleted"]) == (320, 180, 200)
            assert seen["loudest"] > 1000  # the tone, not silence
            assert await asyncio.wait_for(publisher.wait(), PATIENCE_S) == 0
        await wait_for_streams(server, 0)


async def test_libwebrtc_publishes_and_decodes_the_layer_that_it_asks_for() -> None:
    async with serve() as server:
        async with program("whip_wrtc", "publish", f"{server.url}/whip/algebra", token("amal")) as publisher:
            await wait_for_streams(server, 1)
            for layer, width in (("q", 160), ("h", 320)):
                seen = await watch(server, "badr", f"?layer={layer}", viewer=("whip_wrtc", "watch", str(width)))
                assert (seen["width"], seen["deleted"]) == (width, 200)
                assert abs(seen["luma"] - 90) < 10
            publisher.kill()
            await publisher.wait()
        assert server.whip.streams == 1  # nobody said goodbye: it ends when no sign of life came for a while
