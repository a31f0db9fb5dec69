"""What is counted exactly, and must not grow."""
