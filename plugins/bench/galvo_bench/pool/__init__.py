"""Connections, their number, and what goes through them."""
