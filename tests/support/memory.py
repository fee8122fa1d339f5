"""What this process holds in memory: what the kernel sees, what native code asked for, what Python asked for."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path
from typing import NamedTuple


class Memory(NamedTuple):
    """One look; the difference of two is what happened between them."""

    resident_bytes: int
    """Pages in use, after what is free was given back. Rings fill and arenas stay for a while: the coarse measure."""
    native_bytes: int
    """What malloc handed out and has not got back."""
    python_blocks: int
    """Objects of Python's own allocator, up to 512 bytes each."""

    def since(self, earlier: Memory) -> Memory:
        return Memory(*(now - before for now, before in zip(self, earlier, strict=True)))

    def __le__(self, bound: tuple[object, ...]) -> bool:
        """Whether every number is within its bound."""
        assert isinstance(bound, Memory)
        return all(number <= limit for number, limit in zip(self, bound, strict=True))


class _MallocState(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "free_chunks", "fast_chunks", "mapped_regions", "mapped_bytes", "unused", "fast_bytes"),
            *("used_bytes", "free_bytes", "trimmable_bytes"),
        )
    ]
    mapped_bytes: int
    used_bytes: int


def measure_memory() -> Memory:
    """Return what is held now, garbage collected before."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _MallocState
    libc.malloc_trim(0)
    state = libc.mallinfo2()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Memory(pages * os.sysconf("SC_PAGESIZE"), state.used_bytes + state.mapped_bytes, sys.getallocatedblocks())
