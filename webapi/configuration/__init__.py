"""Settings from a file, the environment and flags: found by walking dataclasses, so that each is declared once."""
