"""The default rules: each of them is worth being woken for, or will be when nobody looks."""

from __future__ import annotations

from galvo_monitor.alerts.rule import Rule

MIB = 1024.0**2
HOUR = 3600.0
QUERY = "db.client.operation.duration"

RULES = (
    Rule(
        name="DiskFilling", metric="galvo.disk.time_to_full", below=4 * HOUR, until=8 * HOUR, for_=300,
        severity="critical",
        sentence="The disk of {system.filesystem.mountpoint} is full in {value} at its present pace",
    ),
    Rule(
        name="MemoryShort", metric="galvo.memory.level", over="mean", above=1.5, until=0.5, severity="critical",
        group="memory", sentence="Memory has been short for minutes, and freeing some did not help",
    ),
    Rule(
        name="MemoryLeak", metric="galvo.memory.leak", above=MIB, until=MIB / 4, for_=600, group="memory",
        sentence="Memory grows by {value} an hour and is not given back",
    ),
    Rule(
        name="LoopBlocked", metric="galvo.loop.lag", aggregate="p99", window=120, over="mean", above=0.25, until=0.1,
        severity="critical", sentence="The event loop keeps everybody waiting for {value}: something blocks it",
    ),
    Rule(
        name="PoolWait", metric="db.client.connection.wait_time", aggregate="p95", window=120, over="mean",
        above=1, until=0.5, severity="warning", no_data="resolve", group="pool",
        sentence="Queries wait {value} for a connection",
    ),
    Rule(
        name="PoolExhausted", metric="db.client.connection.timeouts", aggregate="rate", of="sum", window=300,
        over="mean", above=0.03, until=0.005, severity="critical", no_data="resolve", group="pool",
        sentence="Queries give up waiting for a connection: {value}",
    ),
    Rule(
        name="QueriesFail", metric=QUERY, aggregate="rate", attributes={"error.type": "*"}, of="share", least=0.2,
        window=300, over="mean", above=0.1, until=0.05, severity="critical", no_data="resolve",
        sentence="{value} of all queries fail",
    ),
    Rule(
        name="RequestsFail", metric="http.server.request.duration", aggregate="rate",
        attributes={"http.response.status_code": "5*"}, of="share", least=0.2, window=300, over="mean", above=0.05,
        until=0.02, severity="critical", no_data="resolve", sentence="{value} of all requests fail",
    ),
    Rule(
        name="CacheWrong", metric="galvo.cache.wrong_hits", aggregate="rate", of="sum", window=900, over="mean",
        above=0, keep_firing_for=1800, severity="critical", no_data="resolve",
        sentence="The cache has given answers that were not the database's: see `galvo explain`",
    ),
    Rule(
        name="QueueOld", metric="galvo.tasks.oldest", above=600, until=120, for_=300,
        sentence="The oldest {priority} task of queue {queue} has waited for {value}",
    ),
    Rule(
        name="TasksDead", metric="galvo.tasks.dead", above=0.5, until=0,
        sentence="{value} on the dead-letter list, where nothing runs them: see `galvo tasks dead`",
    ),
    Rule(
        name="TransactionIdle", metric="galvo.database.idle_in_transaction.oldest", above=600, until=60,
        sentence="A session has been idle in its transaction for {value}: it holds locks and vacuum back",
    ),
    Rule(
        name="Wraparound", metric="galvo.database.xid_age", above=1.5e9, until=1.2e9, for_=600, severity="critical",
        sentence="The oldest transaction id is {value} old, and PostgreSQL stops at 2.1 thousand million: vacuum",
    ),
)  # fmt: skip
