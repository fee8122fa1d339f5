"""Passwords as argon2id hashes, made and checked in a few threads: each takes some 20 ms and 19 MiB."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lms.access.password_rules import normal_form
from lms.access.passwords_settings import PasswordSettings
from lms.api.problems import UNAVAILABLE, ProblemError

ResultT = TypeVar("ResultT")

WAITING_MAX: Final = 500
"""Checks that may wait: ten seconds' worth. Who comes then is asked to try again."""


NICE: Final = 10
"""Of the threads: whoever is logged in already comes first, and a login takes a while anyway."""


class Passwords:
    """Hashes and checks; close it to end the threads."""

    def __init__(self, settings: PasswordSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.passes, memory_cost=settings.memory_kib, parallelism=1, hash_len=32, salt_len=16
        )
        self._threads = ThreadPoolExecutor(
            max_workers=settings.threads, thread_name_prefix="password", initializer=_give_way
        )
        self._waiting = 0
        self._nobodys = self._hasher.hash("nobody's password")

    async def hash(self, password: str) -> str:
        """Return the hash to keep."""
        return await self._in_thread(self._hasher.hash, normal_form(password))

    async def check(self, kept: str | None, password: str) -> bool:
        """Return whether it is the password; without a hash it takes as long, and is not."""
        matches = await self._in_thread(self._matches, kept or self._nobodys, normal_form(password))
        return matches and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Return whether a hash was made with other costs than now."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads, after what they are at."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _in_thread(self, function: Callable[..., ResultT], *arguments: str) -> ResultT:
        if self._waiting >= WAITING_MAX:
            raise ProblemError(UNAVAILABLE, headers={"Retry-After": "10"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def _give_way() -> None:
    """Have this thread run when others leave a processor free, where threads have priorities of their own: on Linux."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
