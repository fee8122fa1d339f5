"""A real PostgreSQL for tests: the benchmarks' own."""

from __future__ import annotations

from benchmarks.postgresql import OWNER, Cluster, running_cluster

__all__ = ["OWNER", "Cluster", "running_cluster"]
