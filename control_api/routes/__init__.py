"""The HTTP endpoints of the media server, one file each."""
