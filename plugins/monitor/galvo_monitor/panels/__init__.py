"""What is shown of each part of the system."""

from galvo_monitor.panels.build import Builder

__all__ = ["Builder"]
