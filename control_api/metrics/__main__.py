"""Print the table of metrics, for the manual: `python -m control_api.metrics`."""

from __future__ import annotations

from control_api.metrics.catalogue import table

print(table())
