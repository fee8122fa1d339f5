"""How the receivers of webhooks fare."""

from __future__ import annotations

from control_api.contract.shapes import Answer


class WebhookState(Answer, frozen=True, kw_only=True):
    """How one receiver fares."""

    name: str
    """As the operator named it."""
    cursor: str
    """It has everything up to here."""
    waiting: int
    """Events that it has not got yet."""
    failures: int
    """Attempts that failed one after the other, up to now."""
    error: str | None
    """What went wrong the last time; null if nothing did."""
    dead_letters: int
    """Events that were given up."""
    replaying: int
    """Dead letters that are being delivered again."""


class WebhookList(Answer, frozen=True, kw_only=True):
    """All receivers."""

    webhooks: tuple[WebhookState, ...]


class Replaying(Answer, frozen=True, kw_only=True):
    """What is delivered again."""

    ranges: int
    """Runs of dead letters, each one delivered in order."""
