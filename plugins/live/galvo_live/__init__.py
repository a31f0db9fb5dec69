"""Live operation: plugins switched and settings read again while the application runs."""
