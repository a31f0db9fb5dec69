"""What galvo promises, measured row by row."""
