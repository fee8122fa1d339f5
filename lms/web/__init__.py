"""The school's page: log in, see today's classes, join one, and how it goes. Files as they stand, no build step."""
