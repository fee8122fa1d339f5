"""What stops the filling of a school."""

from __future__ import annotations

from lms.errors import LmsError


class DemoError(LmsError):
    """The school cannot be filled; the message says why, and what to do."""
