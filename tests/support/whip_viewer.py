"""aiortc as a WHEP viewer, in a program of its own: its decoders keep native threads.

    python -m tests.support.whip_viewer URL TOKEN [HEIGHT]

It decodes 20 pictures, or more until one has that height, and 50 packets of sound, prints one line of JSON about them,
and ends the stream by DELETE.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from yarl import URL

PICTURES: Final = 20
PICTURES_MAX: Final = 400
SOUNDS: Final = 50


async def watch(url: str, token: str, height: int) -> dict[str, Any]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    tracks: dict[str, MediaStreamTrack] = {}
    connection.on("track", lambda track: tracks.__setitem__(track.kind, track))
    connection.addTransceiver("audio", direction="recvonly")
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        offer = connection.localDescription.sdp
        async with http.post(url, data=offer, headers={"Content-Type": "application/sdp"}) as created:
            created.raise_for_status()
            resource = created.headers["Location"]
            answer = await created.text()
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        pictures: list[Any] = [await tracks["video"].recv() for _ in range(PICTURES)]
        # Who comes late starts at the lowest encoding; the one that is wanted follows when its key frame comes.
        while pictures[-1].height < height and len(pictures) < PICTURES_MAX:
            pictures.append(await tracks["video"].recv())
        sounds: list[Any] = [await tracks["audio"].recv() for _ in range(SOUNDS)]
        async with http.delete(created.url.join(URL(resource))) as deleted:
            status = deleted.status
    await connection.close()
    loudest = max(int(abs(sound.to_ndarray().astype(int)).max()) for sound in sounds)
    return {"width": pictures[-1].width, "height": pictures[-1].height, "loudest": loudest, "deleted": status}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))))
