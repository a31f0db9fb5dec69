"""The metrics that galvo's plugins record, from the monitor's catalogue."""

from __future__ import annotations

from galvo_monitor.catalogue import METRICS


def markdown() -> str:
    rows = [f"| `{one.name}` | {one.kind} | `{one.unit}` |" for one in sorted(METRICS.values(), key=lambda one: one.name)]
    return "\n".join(["| metric | kind | unit |", "|---|---|---|", *rows])
