"""Limits: admission by budget, and a child process with a hard limit."""
