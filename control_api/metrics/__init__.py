"""The metrics of one server: which there are, what they mean, and how they are read. The manual is `metrics.md`."""
