"""FFmpeg 8 publishes by WHIP and aiortc decodes by WHEP: both programs of their own, and neither is ours."""

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
