"""How many tasks run at once: what the machine has, and what memory allows now."""

from galvo_tasks.scaling.attaching import attach, options
from galvo_tasks.scaling.crew import Crew

__all__ = ["Crew", "attach", "options"]
