"""Faults of our own side: settings that cannot work, and a service that cannot start."""

from __future__ import annotations


class LmsError(Exception):
    """A fault that an operator can mend; the message says how."""


class StartError(LmsError):
    """The service could not start; the message says what to change."""


class SettingsError(LmsError):
    """A setting that cannot work; the message says which and why."""
