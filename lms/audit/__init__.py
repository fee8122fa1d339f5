"""Audit: who did, saw and took away what, in a chain of hashes that shows what was removed or changed later."""
