"""The LMS service: people, courses, live classes, attendance and grades. It reaches the media server over HTTP alone."""
