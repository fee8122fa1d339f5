"""Calendars that programs of others subscribe to: iCalendar (RFC 5545) as text. Pure."""
