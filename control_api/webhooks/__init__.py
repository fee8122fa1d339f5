"""Webhooks: the event feed brought to an address, signed, in order, and again until it is taken."""
