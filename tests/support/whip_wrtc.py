"""libwebrtc (the `wrtc` package) as a WHIP publisher and a WHEP viewer, in a program of its own.

python -m tests.support.whip_wrtc publish URL TOKEN     a grey picture in three encodings, until it is ended
python -m tests.support.whip_wrtc watch WIDTH URL TOKEN decodes 20 pictures so wide, and prints JSON about the last
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
from typing import Any, Final

import aiohttp
from yarl import URL

os.environ["WRTC_ALLOW_LOOPBACK"] = "1"  # read at its import: without it there are no candidates of 127.0.0.1
import webrtc

WIDTH: Final = 640
HEIGHT: Final = 360
LUMA: Final = 90
FRAME_RATE: Final = 20
PICTURES: Final = 20
ENCODINGS: Final = (("q", 4.0, 100_000), ("h", 2.0, 300_000), ("f", 1.0, 900_000))
"""rid, by how much smaller, at most so many bit/s. So still a picture takes so little that libwebrtc never finds
out that there is room for f; Chromium's camera shows that."""


async def exchange(connection: webrtc.RTCPeerConnection, http: aiohttp.ClientSession, url: str) -> URL:
    """Offer, take the answer, and return the address of the stream."""
    await connection.set_local_description(await connection.create_offer())
    assert connection.local_description is not None
    offer = connection.local_description.sdp
    async with http.post(url, data=offer, headers={"Content-Type": "application/sdp"}) as created:
        answer = await created.text()
        assert created.status == 201, answer
        await connection.set_remote_description(webrtc.RTCSessionDescriptionInit(type="answer", sdp=answer))
        return created.url.join(URL(created.headers["Location"]))


async def publish(http: aiohttp.ClientSession, url: str) -> None:
    connection = webrtc.RTCPeerConnection()
    camera = webrtc.MediaStreamTrackGenerator("video")
    encodings = [
        webrtc.RTCRtpEncodingParameters(rid=rid, scale_resolution_down_by=scale, max_bitrate=bitrate)
        for rid, scale, bitrate in ENCODINGS
    ]
    connection.add_transceiver(camera, webrtc.RTCRtpTransceiverInit(direction="sendonly", send_encodings=encodings))
    await exchange(connection, http, url)
    writer = camera.writable.get_writer()
    chroma = bytes([128]) * (WIDTH * HEIGHT // 2)
    number = 0
    while True:
        stripe = bytes([number % 256]) * WIDTH  # something moves: an encoder may skip a still
        init = webrtc.VideoFrameBufferInit(
            format="I420", coded_width=WIDTH, coded_height=HEIGHT, timestamp=number * 1_000_000 // FRAME_RATE
        )
        picture = stripe * 2 + bytes([LUMA]) * (WIDTH * (HEIGHT - 2)) + chroma
        await writer.write(webrtc.VideoFrame(picture, init))
        number += 1
        await asyncio.sleep(1 / FRAME_RATE)


async def watch(http: aiohttp.ClientSession, url: str, wanted_width: int) -> dict[str, Any]:
    connection = webrtc.RTCPeerConnection()
    transceiver = connection.add_transceiver("video", webrtc.RTCRtpTransceiverInit(direction="recvonly"))
    resource = await exchange(connection, http, url)
    track = transceiver.receiver.track
    processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track, 30))
    seen: list[tuple[int, float]] = []
    async for frame in processor.readable:
        assert isinstance(frame, webrtc.VideoFrame)
        buffer = bytearray(frame.allocation_size())
        await frame.copy_to(buffer)
        width, height = frame.coded_width, frame.coded_height
        frame.close()
        if width != wanted_width:
            continue  # a lower encoding, until the one that was asked for comes
        seen.append((width, statistics.fmean(buffer[width * (height // 2) : width * (height // 2 + 1)])))
        if len(seen) == PICTURES:
            break
    async with http.delete(resource) as deleted:
        status = deleted.status
    connection.close()
    return {"width": seen[-1][0], "luma": seen[-1][1], "deleted": status}


async def main(role: str, *arguments: str) -> None:
    *width, url, token = arguments
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        if role == "publish":
            await publish(http, url)
        else:
            print(json.dumps(await watch(http, url, int(width[0]))), flush=True)
            os._exit(0)  # its native threads would keep the program for seconds


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
