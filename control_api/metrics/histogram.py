"""A histogram with fixed bounds: as in every service here, see `webapi.histogram`."""

from webapi.histogram import Histogram

__all__ = ["Histogram"]
