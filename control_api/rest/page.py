"""The page of the OpenAPI document, as `webapi` makes it."""

from webapi.page import STYLE, build_page

__all__ = ["STYLE", "build_page"]
