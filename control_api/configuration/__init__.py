"""Settings from a file, the environment and flags: found by walking the dataclasses, so that each is declared once."""
