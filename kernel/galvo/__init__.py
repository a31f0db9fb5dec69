"""galvo: an event-driven plugin microkernel for async Python backends on PostgreSQL."""

from galvo.checkup import Finding
from galvo.context import Context
from galvo.control import Change, Control
from galvo.errors import ForCaller, GalvoError, KernelClosed, NoBackend, PluginError, PluginUnavailable, SettingsError
from galvo.events import Freed, Level, MemoryPressure, Metric, Query, Rows
from galvo.hookspecs import Proceed, hookimpl
from galvo.kernel import Kernel
from galvo.plugin import Plugin, PluginSettings
from galvo.session import Session

__version__ = "0.1.0"
__all__ = [
    "Change", "Context", "Control", "Finding", "ForCaller", "Freed", "GalvoError", "Kernel", "KernelClosed", "Level",
    "MemoryPressure", "Metric", "NoBackend", "Plugin", "PluginError", "PluginSettings", "PluginUnavailable", "Proceed",
    "Query", "Rows", "Session", "SettingsError", "hookimpl",
]  # fmt: skip
