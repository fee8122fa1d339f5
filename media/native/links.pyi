"""A room on several workers: what a producer's home tells the workers that mirror it, and what they ask of it."""
