"""Schedule: what is to be done from time to time, by one process at once, whichever lives."""
