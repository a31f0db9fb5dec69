"""The metrics of galvo by their names: a rule and a chart name no kind and no unit."""

from __future__ import annotations

from galvo import Metric
from galvo_monitor.series import OF, Aggregate

COUNTERS = {
    "galvo.cache.hits": "{read}", "galvo.cache.misses": "{read}", "galvo.cache.joins": "{read}",
    "galvo.cache.time_saved": "s", "galvo.cache.stale_answers": "{read}", "galvo.cache.stores": "{answer}",
    "galvo.cache.evictions": "{answer}", "galvo.cache.flushes": "{flush}", "galvo.cache.verified_hits": "{read}",
    "galvo.cache.warmed": "{answer}", "galvo.cache.unannounced_writes": "{write}",
    "galvo.cache.refusals": "{query}", "galvo.cache.refreshes": "{read}", "galvo.cache.wrong_hits": "{read}",
    "galvo.cache.unverified_hits": "{read}", "galvo.index.queries": "{query}",
    "galvo.index.returned_rows": "{row}", "galvo.index.errors": "{query}", "galvo.index.query_time": "s",
    "galvo.index.slow_queries": "{query}", "galvo.index.plans": "{plan}", "galvo.index.plans_skipped": "{plan}",
    "galvo.memory.freed": "By", "db.client.connection.timeouts": "{timeout}",
    "galvo.database.commits": "{transaction}", "galvo.database.rollbacks": "{transaction}",
    "galvo.database.deadlocks": "{deadlock}", "galvo.database.temp.io": "By",
    "galvo.monitor.refused_series": "{record}", "galvo.tasks.done": "{task}",
}  # fmt: skip
GAUGES = {
    "galvo.cache.size": "By", "galvo.cache.budget": "By", "galvo.cache.entries": "{answer}",
    "galvo.cache.hit_ratio": "1", "galvo.cache.hit_ratio_all": "1", "galvo.index.statements": "{statement}",
    "galvo.index.findings": "{finding}", "process.memory.usage": "By", "galvo.memory.limit": "By",
    "galvo.memory.used": "By", "galvo.memory.waiting": "%", "galvo.memory.blocks": "{block}",
    "galvo.memory.level": "1", "galvo.memory.leak": "By/h", "db.client.connection.count": "{connection}",
    "db.client.connection.max": "{connection}", "db.client.connection.pending_requests": "{request}",
    "system.cpu.utilization": "1", "process.cpu.utilization": "1", "process.thread.count": "{thread}",
    "process.unix.file_descriptor.count": "{file_descriptor}", "system.memory.utilization": "1",
    "system.linux.memory.available": "By", "system.filesystem.utilization": "1", "system.filesystem.usage": "By",
    "galvo.disk.time_to_full": "s",
    "galvo.system.pressure": "1", "galvo.database.sessions": "{session}", "galvo.database.blocked": "{session}",
    "galvo.database.connections": "{connection}", "galvo.database.connections.max": "{connection}",
    "galvo.database.idle_in_transaction": "{session}", "galvo.database.idle_in_transaction.oldest": "s",
    "galvo.database.transaction.longest": "s", "galvo.database.hit_ratio": "1",
    "galvo.database.xid_age": "{transaction}", "galvo.database.rows": "{row}", "galvo.tasks.depth": "{task}",
    "galvo.tasks.oldest": "s", "galvo.tasks.dead": "{task}", "galvo.tasks.concurrency": "{task}",
}  # fmt: skip
SHARES = {name for name, unit in GAUGES.items() if unit == "1"} - {"galvo.memory.level"}
"""From 0 to 1."""
HISTOGRAMS = {
    "db.client.operation.duration": "s", "http.server.request.duration": "s", "galvo.loop.lag": "s",
    "galvo.gc.pause": "s", "db.client.connection.wait_time": "s", "db.client.connection.create_time": "s",
    "galvo.tasks.wait_time": "s", "galvo.tasks.run_time": "s",
}  # fmt: skip
METRICS = {
    **{name: Metric(name, "counter", unit) for name, unit in COUNTERS.items()},
    **{name: Metric(name, "gauge", unit) for name, unit in GAUGES.items()},
    **{name: Metric(name, "histogram", unit) for name, unit in HISTOGRAMS.items()},
}


def metric(name: str, aggregate: Aggregate) -> Metric:
    """An application's own, of which nothing is known, is taken for what has such an aggregate, without a unit."""
    if (known := METRICS.get(name)) and aggregate in OF[known.kind]:
        return known
    if aggregate == "value":
        return Metric(name, "gauge", "")
    return Metric(name, "counter" if aggregate == "rate" else "histogram", "")
