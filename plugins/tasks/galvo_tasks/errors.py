"""What the plugin raises: each text is one sentence that names the thing to change."""

from __future__ import annotations

from galvo import GalvoError


class TasksProblem(GalvoError):
    """Base of all of them."""


class NoBroker(TasksProblem):
    """No broker is configured, or the configured one is not there."""
