"""Views as a process would show them."""

from __future__ import annotations

from typing import Any

import msgspec

from galvo_monitor.view import Alert, Chart, Insight, Panel, Table, Value, View

AT = 1_800_000_000.0
LATENCY = "db.client.operation.duration"
CALM = View(
    at=AT, started=AT - 11_000, pid=1, verdict="All is well: p95 is 1.2 ms, as it was yesterday.", status="ok",
    alerts=[], insights=[],
    panels=[
        Panel("database", "Database", [
            Chart("Statements", [Value(f"{LATENCY} rate", "ok", "{query}/s", 812.4)]),
            Chart("Time of a statement", [
                Value(f"{LATENCY} p50", "median", "s", 0.0004), Value(f"{LATENCY} p95", "95 %", "s", 0.0012),
                Value(f"{LATENCY} p99", "99 %", "s", None),
            ]),
        ], [
            Table("Statements by total time", [("Statement", ""), ("Calls", "{query}"), ("Total", "s")],
                  [["select *\n  from material where id = $1", 123456.0, 31.2]]),
        ]),
        Panel("system", "System", [Chart("Processor", [Value("system.cpu.utilization value", "machine", "1", 0.634)])]),
    ],
)  # fmt: skip
INCIDENT = msgspec.structs.replace(
    CALM, status="critical", processes=3,
    verdict="p95 up 4x since 18:02; 80 % of it is pool wait; 3 sessions idle in transaction",
    alerts=[
        Alert("loop_lag", "warning", "resolved", "The event loop was late by 300 ms.", AT - 4000, 0.01),
        Alert("disk_full_soon", "warning", "pending", "The disk at / is full in 3 h.", AT - 70, 3.1),
        Alert("pool_saturated", "critical", "firing", "Nine of ten statements wait for a connection of the pool.",
              AT - 700, 0.93, (("pool", "main"),)),
    ],
    insights=[Insight("p95 up 4x since 18:02", "p95 48 ms, 12 ms before; oldest session 14 min", AT - 700, 0.9)],
)  # fmt: skip


def long(text: str) -> View:
    """With `text` wherever there is one."""

    def replaced(told: Any) -> Any:
        if isinstance(told, list):
            return [replaced(one) for one in told]
        if isinstance(told, dict):
            kept = ("status", "severity", "state", "unit")
            return {name: one if name in kept else replaced(one) for name, one in told.items()}
        return text if isinstance(told, str) else told

    return msgspec.convert(replaced(msgspec.to_builtins(INCIDENT)), View)
