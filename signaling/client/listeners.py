"""Who listens to a room: callbacks, and iterators with a bounded backlog each."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final, TypeVar

from signaling.client.errors import ClassOverError, HalqaError, LeftError
from signaling.client.events import Event

BACKLOG_MAX: Final = 4096
"""Events that one iterator may leave unread: minutes of a lively class. More means that the program hangs."""

FIRST_BACKLOG_MAX: Final = 256
"""Events since joining that are kept for who begins to listen; a program that has not by then never does."""

EventT = TypeVar("EventT", bound=Event)

_log = logging.getLogger(__name__)


class Listeners:
    """Hands each event to everybody who asked; a callback that raises keeps nobody else from hearing."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Event], None]] = []
        self._first = _Backlog(FIRST_BACKLOG_MAX)
        self._backlogs = {self._first}
        self._end: BaseException | None = None

    def on(self, kind: type[EventT], callback: Callable[[EventT], None]) -> Callable[[], None]:
        """Call `callback` at every event of this type, until the returned function is called."""

        def hear(event: Event) -> None:
            if isinstance(event, kind):
                callback(event)

        self._callbacks.append(hear)
        return lambda: self._callbacks.remove(hear)

    def tell(self, event: Event) -> None:
        """Hand out an event."""
        for hear in tuple(self._callbacks):
            try:
                hear(event)
            except Exception:  # noqa: BLE001 - it is the program's bug, and the others' event
                _log.exception("a listener failed")
        for backlog in self._backlogs:
            backlog.put(event)

    def end(self, reason: BaseException) -> None:
        """No event will follow."""
        self._end = reason
        for backlog in self._backlogs:
            backlog.wake.set()

    def listen_from_the_start(self) -> AsyncIterator[Event]:
        """Return all events; the first caller gets those that are past, too."""
        if self._first.taken or self._first.overflown:
            return self.listen()
        self._first.taken, self._first.most = True, BACKLOG_MAX
        return self._iterate(self._first)

    def listen(self) -> AsyncIterator[Event]:
        """Return all events from this call on."""
        backlog = _Backlog(BACKLOG_MAX)
        self._backlogs.add(backlog)
        return self._iterate(backlog)

    async def _iterate(self, backlog: _Backlog) -> AsyncIterator[Event]:
        try:
            while True:
                while backlog.events:
                    yield backlog.events.popleft()
                if backlog.overflown:
                    raise HalqaError("slow_reader", f"more than {backlog.most} events were left unread")
                if self._end is not None:
                    if isinstance(self._end, LeftError | ClassOverError):
                        return
                    raise self._end
                backlog.wake.clear()
                await backlog.wake.wait()
        finally:
            self._backlogs.discard(backlog)


class _Backlog:
    def __init__(self, most: int) -> None:
        self.most = most
        self.events: deque[Event] = deque()
        self.taken = False
        self.overflown = False
        self.wake = asyncio.Event()

    def put(self, event: Event) -> None:
        if len(self.events) < self.most and not self.overflown:
            self.events.append(event)
        else:
            self.overflown = True
            if not self.taken:
                self.events.clear()
        self.wake.set()
