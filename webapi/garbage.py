"""When Python looks for garbage in cycles: seldom, and never in what was loaded at the start."""

from __future__ import annotations

import gc
from typing import Final

YOUNG_MAX: Final = 20_000
"""Objects made and not yet gone before the young ones are walked; Python's 700 is a look for every other request."""
MIDDLE_LOOKS: Final = 10
OLD_LOOKS: Final = 10


def collect_seldom() -> None:
    """Call once everything is loaded: modules and tables stay for good, and no look need walk them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, MIDDLE_LOOKS, OLD_LOOKS)
