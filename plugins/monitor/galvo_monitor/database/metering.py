"""Samples as metrics. OpenTelemetry's conventions have names for clients of databases only, not for their servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from galvo import Metric
from galvo_monitor.database.sample import Sample, Upkeep

Record = Callable[[Metric, float], None]
Forget = Callable[[Metric], None]
"""Of a gauge that nobody knows any more."""
STATES = {
    state: Metric("galvo.database.sessions", "gauge", "{session}", (("state", state),))
    for state in ("active", "idle", "idle in transaction", "other")
}
CONNECTIONS = Metric("galvo.database.connections", "gauge", "{connection}")
MOST = Metric("galvo.database.connections.max", "gauge", "{connection}")
IDLE = Metric("galvo.database.idle_in_transaction", "gauge", "{session}")
"""That have been so for some seconds: for a moment every transaction is."""
IDLE_OLDEST = Metric("galvo.database.idle_in_transaction.oldest", "gauge", "s")
BLOCKED = Metric("galvo.database.blocked", "gauge", "{session}")
LONGEST = Metric("galvo.database.transaction.longest", "gauge", "s")
HIT_RATIO = Metric("galvo.database.hit_ratio", "gauge")
XID_AGE = Metric("galvo.database.xid_age", "gauge", "{transaction}")
ROWS = {state: Metric("galvo.database.rows", "gauge", "{row}", (("state", state),)) for state in ("dead", "live")}
COUNTERS = {
    "deadlocks": Metric("galvo.database.deadlocks", unit="{deadlock}"),
    "xact_commit": Metric("galvo.database.commits", unit="{transaction}"),
    "xact_rollback": Metric("galvo.database.rollbacks", unit="{transaction}"),
    "temp_bytes": Metric("galvo.database.temp.io", unit="By"),
}

GAUGES = (*STATES.values(), CONNECTIONS, MOST, IDLE, IDLE_OLDEST, BLOCKED, LONGEST, HIT_RATIO, XID_AGE, *ROWS.values())


def record_sample(record: Record, sample: Sample) -> None:
    for state, metric in STATES.items():
        record(metric, sample.sessions[state])
    for metric, value in (
        (CONNECTIONS, sample.connections),
        (MOST, sample.connections_most),
        (IDLE, sample.idle_count),
        (IDLE_OLDEST, sample.idle_oldest),
        (BLOCKED, sample.blocked),
        (LONGEST, sample.longest),
    ):
        record(metric, value)
    if sample.hit_ratio is not None:
        record(HIT_RATIO, sample.hit_ratio)


def record_counts(record: Record, new: Mapping[str, float]) -> None:
    for name, metric in COUNTERS.items():
        if new.get(name, 0) > 0:
            record(metric, new[name])


def record_upkeep(record: Record, upkeep: Upkeep) -> None:
    record(XID_AGE, upkeep.xid_age)
    record(ROWS["dead"], upkeep.dead)
    record(ROWS["live"], upkeep.live)
