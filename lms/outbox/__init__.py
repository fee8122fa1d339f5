"""Outbox: what is to be told to others (mails, webhooks, listeners), written with the change that it tells of."""
