"""An LMS with a school in it, to be measured: people, courses, classes of the past and of now, grades."""
