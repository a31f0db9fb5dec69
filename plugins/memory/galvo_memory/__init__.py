"""Memory: pressure events, leak verdicts, budgets, chunks, images, pools."""

from galvo_memory.plugin import MemoryPlugin

__all__ = ["MemoryPlugin"]
