"""Unit tests of when garbage is looked for, in a process of its own: it changes the whole interpreter."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, weakref
from webapi.garbage import collect_seldom

class Ring: pass

collect_seldom()
assert gc.get_freeze_count() > 1000, gc.get_freeze_count()
ring = Ring()
ring.ring = ring
gone = weakref.ref(ring)
del ring
kept = [[] for _ in range(30_000)]
assert gone() is None, "a cycle goes by itself all the same"
"""


def test_what_was_loaded_is_walked_no_more_and_cycles_still_go() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=30)
