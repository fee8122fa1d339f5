"""The LMS's API: endpoints as values, from which routes, permissions, checks, the envelope and the document come."""
