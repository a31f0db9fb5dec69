"""Measures galvo side by side with its peers."""
