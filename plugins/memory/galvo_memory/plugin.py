"""Watches memory, and asks everybody to free some when it gets short."""

from __future__ import annotations

from galvo import Context, Plugin
from galvo_memory.settings import MemorySettings


class MemoryPlugin(Plugin):
    """Memory: pressure events, leak verdicts, budgets, chunks, images, pools."""

    name = "memory"
    provides = ("memory",)
    settings_type = MemorySettings

    def __init__(self, settings: MemorySettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
