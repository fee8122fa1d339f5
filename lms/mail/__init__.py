"""Mail: what people are told outside the application, in their language."""
