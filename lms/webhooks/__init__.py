"""Webhooks: other programs are told what happens in their organization, signed, in order, until they take it."""
