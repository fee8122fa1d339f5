"""CPU time of a process by where it went."""

from __future__ import annotations

import os
import threading
import time
from typing import Final

import pytest

from benchmarks.load.failures import LoadError
from benchmarks.load.options import parse_arguments
from benchmarks.load.watched import CpuTimes, WatchedProcess

BURNT_S: Final = 0.1


def burn() -> None:
    until = time.thread_time() + BURNT_S
    while time.thread_time() < until:
        pass


def test_the_parts_are_those_of_the_whole() -> None:
    watched = WatchedProcess(os.getpid())
    before = watched.cpu_times()
    burn()
    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()
    spent, whole = watched.cpu_times() - before, watched.cpu_s()
    assert spent.total_s > BURNT_S
    assert spent.threads_s + spent.kernel_s > 0
    assert whole == pytest.approx(watched.cpu_times().total_s, abs=0.1)


def test_a_process_that_is_not_there_is_refused() -> None:
    with pytest.raises(LoadError, match="there is no process"):
        WatchedProcess(2**22 + 1)


def test_parts_add_up() -> None:
    assert (CpuTimes(1.0, 2.0, 3.0) + CpuTimes(0.5)).total_s == 6.5


def test_gso_is_switched_off_where_the_server_is_ours() -> None:
    assert parse_arguments(["--gso", "off"], "", "").address.settings == ("media.gso=false",)
    with pytest.raises(SystemExit):
        parse_arguments(["--gso", "off", "--server", "http://127.0.0.1:1", "--key", "a:b"], "", "")
