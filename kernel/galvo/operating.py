"""For commands, hosts and tools: what they need to know of an application beside a running `Kernel`.

Versioned with the plugin API.
"""

from galvo.blueprint import Blueprint, Plan, plan, read_settings
from galvo.control import Operations
from galvo.discovery import Listing
from galvo.dispatch import dispatch
from galvo.hangup import KeptHangup, has_terminal, keep_hangup
from galvo.only import only
from galvo.settings import KernelSettings

__all__ = [
    "Blueprint", "KeptHangup", "KernelSettings", "Listing", "Operations", "Plan", "dispatch", "has_terminal",
    "keep_hangup", "only", "plan", "read_settings",
]  # fmt: skip
