"""What every test gets: a Hypothesis profile, a place in the order, a folder; integration tests: nothing may be left.

A test under tests/integration or tests/e2e must end with no asyncio task, thread (native ones too) or socket that was
not there before. Fixtures of a wider scope (a browser, say) count as there before.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

LEFTOVER_GRACE_SECONDS = 6.0  # threads and closed sockets of a finished test may need a moment to go
THREAD_END_SECONDS = 0.05
RERUNS = 2
"""Real browsers, processes and clocks on computers that others use too: such a test may be unlucky, and is named as
"rerun" in the summary then; one that fails three times is broken. Tests without them are run again once, for keys and
ports that chance gave."""

MEMORY_FOLDER = Path("/dev/shm")
MEMORY_BYTES_MIN = 2 << 30  # what a run needs is a tenth of that: folders of tests that passed are taken away at once
"""Tests write there, if there is room: databases and journals wait for the disk at each commit, which on a computer
that others use, too, took seconds. What is shown by kill -9 is the same on both."""

# Everybody's change is judged by the same examples; "long" looks for new ones.
settings.register_profile(
    "default", deadline=None, max_examples=200, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=5000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure() -> None:
    """Choose where temporary files are, for this process and all that tests start; a TMPDIR that is given stays."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY_FOLDER):
        os.environ["TMPDIR"] = str(MEMORY_FOLDER)
        tempfile.tempdir = None  # look again


def _has_room(folder: Path) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= MEMORY_BYTES_MIN and not found.f_flag & os.ST_NOEXEC


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, and the leftover checks around every integration and end-to-end test."""
    _put_long_files_first(items)
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if not {"integration", "e2e"} & set(item.path.parts):
            if item.get_closest_marker("flaky") is None:
                item.add_marker(pytest.mark.flaky(reruns=1))
            continue
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.e2e)
        wanted = ["nothing_left"]
        if inspect.iscoroutinefunction(item.function):
            wanted.append("no_task_left")
        if item.get_closest_marker("flaky") is None:
            item.add_marker(pytest.mark.flaky(reruns=RERUNS))
        first = _first_of_the_test_itself(item)
        item.fixturenames[first:first] = wanted


def _put_long_files_first(items: list[pytest.Item]) -> None:
    """Order files: browsers evenly among whole programs, then the rest. Workers take them in this order.

    So all workers have something short to do until the end, and browsers, which need the whole computer, seldom meet.
    """
    kinds: dict[str, dict[Path, int]] = {"e2e": {}, "integration": {}}
    for item in items:
        for kind, files in kinds.items():
            if kind in item.path.parts:
                files.setdefault(item.path, len(files))
    places = {path: (place + 0.5) / len(files) for files in kinds.values() for path, place in files.items()}
    items.sort(key=lambda item: places.get(item.path, 1.0))


def _first_of_the_test_itself(item: pytest.Function) -> int:
    """Return where the fixtures of the test's own scope begin; those of wider scopes stand before them."""
    definitions = item._fixtureinfo.name2fixturedefs
    for index, name in enumerate(item.fixturenames):
        if name in definitions and definitions[name][-1].scope == "function":
            return index
    return len(item.fixturenames)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fail the test if it leaves a thread or an open socket."""
    threads, sockets = _threads(), _sockets()
    yield
    began = time.monotonic()
    while (left := _left(threads, sockets)) and time.monotonic() < began + LEFTOVER_GRACE_SECONDS:
        time.sleep(0.01)
        if time.monotonic() > began + THREAD_END_SECONDS:  # a collection takes longer than a thread does to end
            gc.collect()
    assert not left, f"the test left {', '.join(left)}"


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fail the test if it leaves a task on its event loop."""
    before = asyncio.all_tasks()
    yield
    deadline = time.monotonic() + LEFTOVER_GRACE_SECONDS
    while (left := _tasks() - before) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    assert not left, f"the test left tasks: {sorted(task.get_name() + ' ' + repr(task.get_coro()) for task in left)}"


def _tasks() -> set[asyncio.Task[object]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


def _left(threads: dict[str, str], sockets: set[str]) -> list[str]:
    new_threads = [f"thread {name} ({number})" for number, name in _threads().items() if number not in threads]
    return new_threads + sorted(_sockets() - sockets)


def _threads() -> dict[str, str]:
    """Return the name of every thread of this process by its number: native threads that Python does not know too."""
    names: dict[str, str] = {}
    for path in Path("/proc/self/task").iterdir():
        try:
            names[path.name] = (path / "comm").read_text().strip()
        except OSError:  # it ended just now
            continue
    return names


def _sockets() -> set[str]:
    """Return the open sockets of this process as "socket:[inode]"."""
    found: set[str] = set()
    for path in Path("/proc/self/fd").iterdir():
        try:
            target = str(path.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found
