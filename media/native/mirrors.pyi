"""Mirrors: producers of other workers, whose packets come through the inbox instead of from a socket."""
