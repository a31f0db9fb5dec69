"""Counts what reaches the database, by statement, at a constant cost."""
