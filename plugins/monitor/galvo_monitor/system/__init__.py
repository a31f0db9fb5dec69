"""The machine and this process, as an operating system tells of them."""

from galvo_monitor.system.disks import Disk, Disks
from galvo_monitor.system.machine import Machine, Sample
from galvo_monitor.system.system import System

__all__ = ["Disk", "Disks", "Machine", "Sample", "System"]
