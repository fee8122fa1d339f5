"""People: who belongs to an organization, in which roles, and who looks after whom."""
