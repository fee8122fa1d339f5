"""Attendance: who was in class, when and for how long, from the media server's events alone."""
