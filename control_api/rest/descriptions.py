"""Descriptions of fields, as `webapi` reads them from the source."""

from webapi.descriptions import describe_class, describe_fields

__all__ = ["describe_class", "describe_fields"]
