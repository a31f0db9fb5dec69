"""Collects what is measured, and says what it means."""

from __future__ import annotations

from galvo import Context, Plugin
from galvo_monitor.settings import MonitorSettings


class MonitorPlugin(Plugin):
    """Monitor: metrics, alerts, insights, a dashboard, exporters."""

    name = "monitor"
    provides = ("monitor",)
    settings_type = MonitorSettings

    def __init__(self, settings: MonitorSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
