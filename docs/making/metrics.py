"""The metrics that galvo's plugins record, from the monitor's catalogue."""

from __future__ import annotations

from galvo_monitor.catalogue import METRICS


def markdown() -> str:
    rows = [f"| `{name}` | {one.kind} | `{one.unit}` |" for name, one in sorted(METRICS.items())]
    return "\n".join(["| metric | kind | unit |", "|---|---|---|", *rows])
