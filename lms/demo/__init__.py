"""A school to look at: made up from a seed, and filled in by the API and the functions that real classes use."""
