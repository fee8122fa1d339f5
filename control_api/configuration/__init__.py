"""The settings of a media server out of a file, the environment and flags; how, `webapi.configuration` knows."""

from __future__ import annotations

from typing import Final

from control_api.settings import ServerSettings, SettingsError
from media.errors import LocalError
from webapi.configuration.settings_tree import SettingsTree

FOREIGN_PREFIXES: Final = ("HALQA_TEST_", "HALQA_BENCHMARK_", "HALQA_LMS_")
"""Of the test suite, the benchmarks and the LMS."""

TREE: Final = SettingsTree(
    ServerSettings, prefix="HALQA_", error=SettingsError, faults=(LocalError,), foreign_prefixes=FOREIGN_PREFIXES
)
