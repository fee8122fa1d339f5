"""The LMS service: people, courses, live classes, attendance, grades. It reaches the media server over HTTP alone."""
