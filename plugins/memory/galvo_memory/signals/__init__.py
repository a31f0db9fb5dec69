"""What the machine and the process say of memory: cheap to read, every few seconds."""

from galvo_memory.signals.bound import Bound
from galvo_memory.signals.levels import Levels
from galvo_memory.signals.paths import Paths
from galvo_memory.signals.sample import Sample
from galvo_memory.signals.sampler import Sampler

__all__ = ["Bound", "Levels", "Paths", "Sample", "Sampler"]
