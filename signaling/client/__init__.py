"""A client of the JSON protocol in Python, for bots and tests: see README.md in this folder.

`Room` is where to begin; media is in `signaling.client.webrtc`, which needs `pip install 'halqa[bots]'`.
"""

from signaling.client.credentials import KeyHolder
from signaling.client.reconnect import ReconnectPolicy
from signaling.client.room import Room

__all__ = ["KeyHolder", "ReconnectPolicy", "Room"]
