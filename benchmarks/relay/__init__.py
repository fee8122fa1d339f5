"""How does a call do on a bad network? A seeded UDP relay: loss, delay, queues, reordering, damage, NAT rebinding."""
