"""Print the table of settings, for the manual `lms/settings.md`: `python -m lms.settings_table`."""

from __future__ import annotations

from lms.cli import SHORT_FLAGS, TREE
from webapi.configuration.manual import settings_table

if __name__ == "__main__":
    print(settings_table(TREE, {flag.path: flag.name for flag in SHORT_FLAGS}))
