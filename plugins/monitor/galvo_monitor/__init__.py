"""Monitor: metrics, alerts, insights, a dashboard, exporters."""

from galvo_monitor.plugin import MonitorPlugin

__all__ = ["MonitorPlugin"]
