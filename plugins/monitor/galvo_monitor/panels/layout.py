"""Which lines are drawn where: the page, `galvo top` and the Grafana dashboard are made from this."""

from __future__ import annotations

from typing import NamedTuple

from galvo_monitor.series import TOTAL, Aggregate


class Line(NamedTuple):
    """`by` names an attribute each of whose values is a line of its own, called by it; `label` is then a prefix."""

    metric: str
    aggregate: Aggregate
    label: str
    unit: str
    by: str = ""
    beside: tuple[str, ...] = ()
    """Further attributes that tell lines apart, said after the first one's value where they have any."""
    where: tuple[tuple[str, str], ...] = ()
    """Attributes that it must have; "" means: must not."""


class Plot(NamedTuple):
    title: str
    lines: tuple[Line, ...]


class Part(NamedTuple):
    name: str
    title: str
    plots: tuple[Plot, ...]


QUERY = "db.client.operation.duration"
STATE = "db.client.connection.state"
HTTP = "http.server.request.duration"


def _latency(metric: str) -> tuple[Line, ...]:
    """Of all together."""
    labels: tuple[tuple[Aggregate, str], ...] = (("p50", "median"), ("p95", "95 %"), ("p99", "99 %"))
    return tuple(Line(metric, aggregate, label, "s", where=TOTAL) for aggregate, label in labels)


PARTS = (
    Part("requests", "Requests", (
        Plot("Requests", (Line(HTTP, "rate", "", "{request}/s", by="http.response.status_code"),)),
        Plot("Time of a request", _latency(HTTP)),
    )),
    Part("loop", "Event loop", (
        Plot("Lag", (Line("galvo.loop.lag", "p50", "median", "s"), Line("galvo.loop.lag", "p99", "99 %", "s"),
                     Line("galvo.loop.lag", "max", "longest", "s"))),
        Plot("Garbage collector", (Line("galvo.gc.pause", "max", "longest pause", "s"),
                                   Line("galvo.gc.pause", "busy", "share of time", "1"))),
    )),
    Part("database", "Database", (
        Plot("Statements", (Line(QUERY, "rate", "", "{query}/s", by="error.type"),)),
        Plot("Time of a statement", _latency(QUERY)),
        Plot("Sessions of the server", (
            Line("galvo.database.sessions", "value", "", "{session}", by="state"),
            Line("galvo.database.blocked", "value", "blocked", "{session}"),
        )),
        Plot("Oldest", (Line("galvo.database.transaction.longest", "value", "transaction", "s"),
                        Line("galvo.database.idle_in_transaction.oldest", "value", "idle in transaction", "s"))),
        Plot("Read from the server's memory", (Line("galvo.database.hit_ratio", "value", "of blocks", "1"),)),
    )),
    Part("cache", "Cache", (
        Plot("Hit ratio", (Line("galvo.cache.hit_ratio", "value", "of what may be kept", "1"),
                           Line("galvo.cache.hit_ratio_all", "value", "of all reads", "1"))),
        Plot("Answers", (Line("galvo.cache.hits", "rate", "hits, ", "{read}/s", by="galvo.cache.level"),
                         Line("galvo.cache.misses", "rate", "misses, ", "{read}/s", by="galvo.cache.reason"))),
        Plot("Size", (Line("galvo.cache.size", "value", "kept", "By"),
                      Line("galvo.cache.budget", "value", "allowed", "By"))),
    )),
    Part("pool", "Connection pool", (
        Plot("Connections", (Line("db.client.connection.count", "value", "", "{connection}", by=STATE),
                             Line("db.client.connection.max", "value", "most", "{connection}"))),
        Plot("Waiting for one", (Line("db.client.connection.pending_requests", "value", "tasks", "{request}"),)),
        Plot("Wait of those who had to", (Line("db.client.connection.wait_time", "p50", "median", "s"),
                                          Line("db.client.connection.wait_time", "p95", "95 %", "s"))),
    )),
    Part("queue", "Task queue", (
        Plot("Waiting", (Line("galvo.tasks.depth", "value", "", "{task}", by="queue", beside=("priority",)),)),
        Plot("Age of the oldest", (Line("galvo.tasks.oldest", "value", "", "s", by="queue", beside=("priority",)),)),
        Plot("Wait until begun", _latency("galvo.tasks.wait_time")),
        Plot("Run time, 95 %", (Line("galvo.tasks.run_time", "p95", "", "s", by="task"),)),
        Plot("Done", (Line("galvo.tasks.done", "rate", "", "{task}/s", by="outcome", beside=("task", "error")),)),
        Plot("At once", (Line("galvo.tasks.concurrency", "value", "at most, ", "{task}", by="class"),
                         Line("galvo.tasks.run_time", "busy", "on average", "{task}", where=TOTAL))),
        Plot("Put aside", (Line("galvo.tasks.dead", "value", "dead-letter list", "{task}"),)),
    )),
    Part("memory", "Memory", (
        Plot("Process", (Line("process.memory.usage", "value", "resident", "By"),
                         Line("galvo.memory.limit", "value", "limit", "By"))),
        Plot("Waited for memory", (Line("galvo.memory.waiting", "value", "of the last 10 s", "%"),)),
    )),
    Part("system", "System", (
        Plot("Processor", (Line("system.cpu.utilization", "value", "machine", "1"),
                           Line("process.cpu.utilization", "value", "process", "1"))),
        Plot("Memory", (Line("system.memory.utilization", "value", "used", "1"),)),
        Plot("Stalled, of the last 10 s", (
            Line("galvo.system.pressure", "value", "", "1", by="galvo.resource", where=(("galvo.stalled", "some"),)),
        )),
        Plot("Disk", (Line("system.filesystem.utilization", "value", "", "1", by="system.filesystem.mountpoint"),)),
    )),
)  # fmt: skip
"""In the order in which one looks at them."""
