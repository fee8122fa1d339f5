"""Print the table of settings, for the manual: `python -m control_api.configuration`."""

from __future__ import annotations

from control_api.configuration import TREE
from control_api.flags import SHORT_FLAGS
from webapi.configuration.manual import settings_table

print(settings_table(TREE, {flag.path: flag.name for flag in SHORT_FLAGS}))
