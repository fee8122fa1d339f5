"""Access codes: made by teachers, typed in by students, counted without a race."""
