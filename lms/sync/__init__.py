"""Queues of devices that were offline: operations in order, each done once, each with a result of its own."""
