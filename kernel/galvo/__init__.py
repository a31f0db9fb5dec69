"""galvo: an event-driven plugin microkernel for async Python backends on PostgreSQL.

The plugin API is what is here, in `galvo.operating`, `galvo.sizes` and `galvo.testing`; the rest is the kernel's own.
"""

from galvo.blueprint import Overrides
from galvo.checkup import Finding
from galvo.context import Context
from galvo.control import Change, Control
from galvo.errors import (
    ForCaller,
    GalvoError,
    KernelClosed,
    NoBackend,
    PluginError,
    PluginUnavailable,
    ProceedTwice,
    SettingsError,
    is_open,
    leave_open,
)
from galvo.events import Computed, Driven, Freed, Kind, Level, MemoryPressure, Metric, Query, Rows
from galvo.facade import Facade
from galvo.hookspecs import Proceed, hookimpl
from galvo.kernel import Kernel
from galvo.metering import Metering
from galvo.observing import Observation
from galvo.plugin import Plugin, PluginSettings
from galvo.row import Row
from galvo.session import Isolation, Lease, Leasing, Pin, Session, Transaction

__version__ = "0.1.0"
__all__ = [
    "Change", "Computed", "Context", "Control", "Driven", "Facade", "Finding", "ForCaller", "Freed", "GalvoError",
    "Isolation", "Kernel", "KernelClosed", "Kind", "Lease", "Leasing", "Level", "MemoryPressure", "Metering",
    "Metric", "NoBackend", "Observation", "Overrides", "Pin", "Plugin", "PluginError", "PluginSettings",
    "PluginUnavailable", "Proceed", "ProceedTwice", "Query", "Row", "Rows", "Session", "SettingsError",
    "Transaction", "hookimpl", "is_open", "leave_open",
]  # fmt: skip
