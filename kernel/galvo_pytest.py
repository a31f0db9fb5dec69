"""For pytest, which imports this in every run where galvo is installed: so it imports nothing itself."""

from __future__ import annotations

from typing import Any


def pytest_pycollect_makeitem(collector: Any, obj: Any) -> list[Any] | None:
    """A check of `galvo.testing.PluginContract` that says nothing about its plugin is not collected."""
    applies = getattr(obj, "galvo_applies", None)
    if applies is None or getattr(collector, "cls", None) is None or applies(collector.cls):
        return None
    return []
