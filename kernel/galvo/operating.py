"""For commands, hosts and tools: what they need to know of an application beside a running `Kernel`.

Versioned with the plugin API.
"""

from galvo.blueprint import Blueprint, Plan, plan, read_settings
from galvo.control import Operations
from galvo.dispatch import dispatch
from galvo.only import only

__all__ = ["Blueprint", "Operations", "Plan", "dispatch", "only", "plan", "read_settings"]
