"""What it costs to watch."""
