"""Sending webhooks: signed as Standard Webhooks has it, and to addresses of the public Internet alone."""
