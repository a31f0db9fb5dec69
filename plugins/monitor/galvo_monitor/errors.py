"""What the plugin refuses, in one sentence that says what to change."""

from __future__ import annotations

from galvo import GalvoError


class MonitorProblem(GalvoError):
    """Base of the errors of this plugin."""
