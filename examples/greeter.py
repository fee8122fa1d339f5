"""A bot that greets who comes, answers "!time" and "!hands", and beeps when a hand goes up."""

import asyncio
import sys
from datetime import datetime

import numpy as np

from signaling.client import Room
from signaling.client.events import HandRaised, MessageReceived, ParticipantJoined
from signaling.client.webrtc import WebRtc

BEEP = 0.3 * np.sin(2 * np.pi * 880 * np.arange(24_000) / 48_000)  # half a second of 880 Hz, at 48 kHz


async def main(server: str, name: str, token: str) -> None:
    async with Room(server, name, token, media=WebRtc()) as room:
        microphone = await room.publish_microphone()
        async for event in room.events():
            match event:
                case ParticipantJoined(participant=who):
                    await room.send(f"Welcome, {who.name}!")
                case MessageReceived(body="!time"):
                    await room.send(f"It is {datetime.now().astimezone():%H:%M}.")
                case MessageReceived(body="!hands"):
                    await room.send(f"{len(room.hands)} raised: {', '.join(who.name for who in room.hands)}")
                case HandRaised():
                    await microphone.send(BEEP)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
