"""What a test sends through the Python client and recognises on the other side: a colour and a tone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import numpy as np

from signaling.client import Room
from signaling.client.errors import WrongStateError
from signaling.client.media import SAMPLE_RATE_HZ, AudioFrame, Frame, VideoFrame

FRAME_RATE = 15
RED_ERROR_MAX = 15.0  # of a small encoding at 150 kbit/s
TONE_ERROR_MAX = 0.1
LOUD_MIN = 3000.0  # root mean square; silence and comfort noise are below 100
FRAMES_MAX = 400  # looked at before a test gives up


class Show:
    """Publishes camera and microphone of a room, until it is left or the tracks end."""

    def __init__(self, room: Room, *, red: int, tone_hz: int, size: tuple[int, int] = (320, 180)) -> None:
        self._room, self._red, self._tone_hz, self._size = room, red, tone_hz, size

    async def __aenter__(self) -> Self:
        camera = await self._room.publish_camera(*self._size)
        microphone = await self._room.publish_microphone()

        async def show() -> None:
            width, height = self._size
            for number in itertools.count():
                picture = np.full((height, width, 3), [self._red, 40, (number * 5) % 256], np.uint8)
                await camera.send(picture)
                await asyncio.sleep(1 / FRAME_RATE)

        async def hum() -> None:
            second = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
            while True:
                await microphone.send(0.5 * np.sin(2 * np.pi * self._tone_hz * second))

        async def both() -> None:
            await asyncio.gather(*map(until_it_ends, (show(), hum())))

        async def until_it_ends(work) -> None:  # type: ignore[no-untyped-def]
            try:
                await work
            except WrongStateError:
                if not self.done.done():
                    self.done.set_result(None)

        self.done = asyncio.get_running_loop().create_future()
        """Set when a track ended under our hands."""
        self._task = asyncio.create_task(both())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})


async def sees_picture(frames: AsyncIterator[Frame], *, red: int) -> bool:
    """Return whether pictures of this colour come."""
    async for number, frame in numbered(frames):
        assert isinstance(frame, VideoFrame)
        if abs(float(frame.picture[:, :, 0].mean()) - red) < RED_ERROR_MAX:
            return True
        if number > FRAMES_MAX:
            break
    return False


async def hears_tone(frames: AsyncIterator[Frame], *, tone_hz: int) -> bool:
    """Return whether a tone of this height comes, loud, for a tenth of a second."""
    recent: list[float] = []
    async for number, frame in numbered(frames):
        assert isinstance(frame, AudioFrame)
        samples = frame.samples[:, 0].astype(np.float64)
        loud = float(np.sqrt(np.mean(samples**2))) > LOUD_MIN
        crossings = np.count_nonzero(np.diff(np.signbit(samples)))
        recent = [*recent[-9:], crossings / 2 * frame.sample_rate_hz / len(samples)] if loud else []
        if len(recent) == 10 and abs(float(np.mean(recent)) - tone_hz) < TONE_ERROR_MAX * tone_hz:
            return True
        if number > FRAMES_MAX:
            break
    return False


async def numbered(frames: AsyncIterator[Frame]) -> AsyncIterator[tuple[int, Frame]]:
    number = 0
    async for frame in frames:
        number += 1
        yield number, frame
