"""Creates indexes that were advised, measures what they gain, and can take them back."""
