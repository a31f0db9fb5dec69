"""A task that somebody waits for: progress, result, cancel."""
