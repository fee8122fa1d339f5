"""What runs for attendance in the background: the reader of the media server's feed, and the settling of runs."""

from __future__ import annotations

import logging
from typing import Self

from control_api.client import ControlClient
from lms.attendance.feed_reader import FeedReader, KeepEvents
from lms.attendance.settling import Settler
from lms.classes.media import control_client
from lms.parts import Parts

logger = logging.getLogger(__name__)


class AttendanceJobs:
    """Run from `start` to `close`. Without a media server nothing is read; what is known is settled all the same."""

    def __init__(self, settler: Settler, reader: FeedReader | None, control: ControlClient | None) -> None:
        self.settler = settler
        self.reader = reader
        self._control = control

    @classmethod
    def of(cls, parts: Parts) -> Self:
        """Return the jobs of an LMS; must be called within an event loop."""
        settler = Settler(parts.database, parts.ids, parts.outbox, parts.clock)
        chosen = parts.settings.media_server
        if chosen.url is None or chosen.key is None:
            logger.warning("no media server is set: attendance has nothing to go by")
            return cls(settler, None, None)
        control = control_client(chosen)
        return cls(settler, FeedReader(parts.database, control, chosen.url), control)

    def also_keep(self, keep: KeepEvents) -> None:
        """Have a function keep what it wants of each page of the feed, in the transaction that keeps our place."""
        if self.reader is not None:
            self.reader.also_keep(keep)

    def start(self) -> None:
        """Begin."""
        if self.reader is not None:
            self.reader.start()
        self.settler.start()

    async def close(self) -> None:
        """Stop; what was under way is done at the next start."""
        if self.reader is not None:
            await self.reader.close()
        await self.settler.close()
        if self._control is not None:
            await self._control.close()
