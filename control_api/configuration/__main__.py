"""Print the table of settings, for the manual: `python -m control_api.configuration`."""

from __future__ import annotations

from control_api.configuration.manual import settings_table
from control_api.flags import SHORT_FLAGS

print(settings_table({flag.path: flag.name for flag in SHORT_FLAGS}))
