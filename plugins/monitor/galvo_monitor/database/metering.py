"""Samples as metrics, named as OpenTelemetry's collector names those of PostgreSQL where it has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from galvo import Metric
from galvo_monitor.database.sample import Sample, Upkeep

Record = Callable[[Metric, float], None]
STATES = {
    state: Metric("postgresql.backends", "gauge", "{session}", (("postgresql.state", state),))
    for state in ("active", "idle", "idle in transaction", "other")
}
CONNECTIONS = Metric("galvo.postgresql.connections", "gauge", "{connection}")
MOST = Metric("postgresql.connection.max", "gauge", "{connection}")
IDLE = Metric("galvo.postgresql.idle_in_transaction", "gauge", "{session}")
"""That have been so for some seconds: for a moment every transaction is."""
IDLE_OLDEST = Metric("galvo.postgresql.idle_in_transaction.oldest", "gauge", "s")
BLOCKED = Metric("galvo.postgresql.blocked", "gauge", "{session}")
LONGEST = Metric("galvo.postgresql.transaction.longest", "gauge", "s")
HIT_RATIO = Metric("galvo.postgresql.hit_ratio", "gauge")
XID_AGE = Metric("galvo.postgresql.xid_age", "gauge", "{transaction}")
ROWS = {
    state: Metric("postgresql.rows", "gauge", "{row}", (("postgresql.state", state),)) for state in ("dead", "live")
}
COUNTERS = {
    "deadlocks": Metric("postgresql.deadlocks", unit="{deadlock}"),
    "xact_commit": Metric("postgresql.commits", unit="{transaction}"),
    "xact_rollback": Metric("postgresql.rollbacks", unit="{transaction}"),
    "temp_bytes": Metric("postgresql.temp.io", unit="By"),
}


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
