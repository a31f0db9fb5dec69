"""`await task.submit(...)`."""

from __future__ import annotations


class Submitting:
    """Mixed into `Task`: how one is asked for."""
