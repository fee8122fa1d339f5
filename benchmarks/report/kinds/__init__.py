"""Each kind of file that a report can hold; a new one is a module here and a line in the list."""

from __future__ import annotations

from benchmarks.report.collector import Runs
from benchmarks.report.kinds.analyse import AnalyseRuns
from benchmarks.report.kinds.api import ApiRuns
from benchmarks.report.kinds.fanout import FanoutRuns
from benchmarks.report.kinds.joins import JoinsRuns
from benchmarks.report.kinds.load import LoadRuns
from benchmarks.report.kinds.relay import RelayRuns
from benchmarks.report.kinds.soak import SoakRuns


def all_kinds() -> list[Runs]:
    """Return an empty collection of each kind, in the order of the report."""
    return [LoadRuns(), FanoutRuns(), JoinsRuns(), ApiRuns(), RelayRuns(), AnalyseRuns(), SoakRuns()]
