"""How the service is operated: health, readiness, metrics."""
