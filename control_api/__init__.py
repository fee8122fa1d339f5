"""The media server as a program: composition root, HTTP, metrics, keys and the `halqa` command."""
