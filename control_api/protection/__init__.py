"""What stands before every route: who is asking, how often, for how long, and the headers that every answer carries."""
