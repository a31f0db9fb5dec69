"""Something that is configured in a way that is known to go wrong."""

from __future__ import annotations

import msgspec


class Trap(msgspec.Struct, frozen=True):
    name: str
    """Of the setting, or of the task."""
    text: str
    """One sentence: what goes wrong, and what to change."""
    fatal: bool = True
    """No worker starts with it; else it is only told."""
