"""Courses, their groups, and who is enrolled in them as what."""
