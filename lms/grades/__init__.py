"""Grades: categories, weights and items of a course, versioned writes with their history, and totals."""
