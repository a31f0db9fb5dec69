"""Asking for a task from async code: a deadline, limits, the outbox."""
