"""Reads plans, and says in sentences what is wrong with them."""
