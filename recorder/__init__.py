"""The recorder: journals, remuxing, composition and storage of what a room sent. One process a recording."""
