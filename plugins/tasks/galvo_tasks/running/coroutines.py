"""A task whose function is a coroutine function."""

from __future__ import annotations


class Running:
    """Mixed into `Task`: how one is run."""
