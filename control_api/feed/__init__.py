"""The event feed: the journal as other programs read it, at least once, in order, from any cursor."""
