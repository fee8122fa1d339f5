"""Whether the server lives, and whether new rooms should come to it."""
