"""All receivers of one server: started and ended together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

from control_api.webhooks.progress_file import ProgressFile
from control_api.webhooks.settings import WebhookSettings
from control_api.webhooks.worker import Clock, Source, Worker
from webapi.webhooks.sender import Sender

PROGRESS_FOLDER: Final = "webhooks"


class Webhooks:
    """Delivers the feed to every receiver until closed."""

    def __init__(self, workers: Mapping[str, Worker], sender: Sender, thread: ThreadPoolExecutor) -> None:
        self.workers = workers
        """By the receiver's name."""
        self._sender = sender
        self._thread = thread
        self._tasks = [asyncio.create_task(worker.run(), name=f"webhook {name}") for name, worker in workers.items()]

    @classmethod
    async def start(cls, settings: WebhookSettings, source: Source, data: Path) -> Self:
        """Begin to deliver; raises ProgressFileError."""
        sender = Sender(allow_private_addresses=settings.allow_private_addresses, timeout_s=settings.timeout_s)
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="webhooks")
        try:
            workers = {
                endpoint.name: Worker(
                    endpoint,
                    source,
                    sender.send,
                    ProgressFile(data / PROGRESS_FOLDER, endpoint.name, thread),
                    give_up_s=settings.give_up_s,
                    clock=Clock(),
                )
                for endpoint in settings.endpoints
            }
        except BaseException:
            await sender.close()
            thread.shutdown()
            raise
        return cls(workers, sender, thread)

    async def close(self) -> None:
        """Stop at once; what was under way is delivered again after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sender.close()
        self._thread.shutdown()

    def reading(self) -> Mapping[str, float]:
        """Return the present metrics, over all receivers."""
        workers = self.workers.values()
        return {
            "webhook_events_delivered_total": sum(worker.delivered for worker in workers),
            "webhook_events_waiting": sum(worker.lag for worker in workers),
            "webhook_oldest_waiting_seconds": max(
                (max(0.0, time.time() - since) for worker in workers if (since := worker.oldest_waiting) is not None),
                default=0.0,
            ),
            "webhooks_failing": sum(worker.delivery.failures > 0 for worker in workers),
            "webhook_dead_letters": sum(
                each.last - each.after for worker in workers for each in worker.delivery.progress.dead
            ),
        }
