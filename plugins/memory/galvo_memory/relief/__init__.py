"""What is done when memory gets short, and how the garbage collector is kept out of the way before."""

from galvo_memory.relief.collector import Collector
from galvo_memory.relief.relief import Relief

__all__ = ["Collector", "Relief"]
