"""The dashboard: one page, read-only, live."""

from galvo_monitor.page.app import create_app
from galvo_monitor.page.mounting import mounted
from galvo_monitor.page.source import Past, Source

__all__ = ["Past", "Source", "create_app", "mounted"]
