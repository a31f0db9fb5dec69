"""What is refused about alerts."""

from __future__ import annotations

from galvo_monitor.errors import MonitorProblem


class RuleProblem(MonitorProblem, ValueError):
    """A rule, or all of them together, cannot be meant; a ValueError too, so that settings refuse it by its key."""


class NotTold(MonitorProblem):
    """Somebody could not be told of alerts."""
