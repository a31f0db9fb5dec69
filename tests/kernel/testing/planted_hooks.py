"""Plugins that break a promise in a hook, by the time it takes, or by what they tell."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel

from galvo import Freed, MemoryPressure, Metric, Plugin, Proceed, Query, Rows, hookimpl
from tests.kernel.testing.planted import Layer, caught

# -- on_query -----------------------------------------------------------------------------------------


@caught("proceeds_once", "called `proceed` 2 times")
class Retrying(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        except ConnectionResetError:
            return await proceed(query)


@caught("hands_queries_on", "`proceed` takes a Query, not str")
class Textual(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query.sql)  # type: ignore[arg-type]  # that is the fault


@caught("hands_queries_on", "an ordinary query ends in")
class Remade(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(Query(query.sql, query.args, query.kind, query.limit, session=query.session))


@caught("hands_queries_on", "a query with a timeout of 30.0 s is handed on with [None]")
class Patient(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query.with_(timeout=None))


@caught("session_kept", "outside of it")
class Sessionless(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query.with_(session=None))


@caught("session_kept", "the database sees ['SELECT']")
class Swallowing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows() if query.kind == "status" and "$1" not in query.sql else await proceed(query)


@caught("answers_unchanged", "it changed an answer")
class Scribbling(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        rows = await proceed(query)
        if query.kind == "rows" and query.session is not None:
            rows.records.append("one more")  # type: ignore[attr-defined]  # that is the fault
        return rows


@caught("answers_unchanged", "of three rows the caller gets")
class Losing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        rows = await proceed(query)
        return Rows(rows.records[:1], rows.status)


@caught("database_errors", "is counted as its fault: on_query: RuntimeError: wrapped")
class Wrapping(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        except Exception as error:
            raise RuntimeError("wrapped") from error


@caught("own_faults", "with a fault at await")
class Doubling(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        rows = await proceed(query)
        try:
            await anyio.lowlevel.checkpoint()
        except Exception:
            return Rows()
        return rows


@caught("own_queries_fail", "while its own queries fail")
class Dependent(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if query.origin:
            return await proceed(query)
        rows = await proceed(query)
        try:
            await self.context.fetch("select $1::int as n", 1)
        except OSError:
            return Rows()
        return rows


@caught("cancelled_query", "goes on as if it were not")
class Stubborn(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        with suppress(BaseException):
            await anyio.lowlevel.checkpoint()
        return await proceed(query)


@caught("cancelled_query", "is still run by the database, for nobody")
class Detached(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await asyncio.shield(asyncio.ensure_future(proceed(query)))


@caught("cancelled_query", "was answered with")
class Poisoned(Layer):
    poisoned = False

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if self.poisoned:
            return Rows()
        self.poisoned = True
        rows = await proceed(query)
        self.poisoned = False
        return rows


@caught("cancelled_cache_miss", "goes on as if it were not")
class StubbornMiss(Plugin):
    @hookimpl
    async def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        with suppress(BaseException):
            await anyio.lowlevel.checkpoint()
        return None


@caught("cancelled_memory_pressure", "goes on as if it were not")
class StubbornRelief(Plugin):
    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        with suppress(BaseException):
            await anyio.lowlevel.checkpoint()
        return None


# -- hostile payloads ---------------------------------------------------------------------------------


@caught("hostile_statements", "is a fault of it: on_query: IndexError")
class Splitting(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        _ = query.sql.split()[0]
        return await proceed(query)


@caught("hostile_statements", "is a fault of it: on_query: UnicodeEncodeError")
class Encoding(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        query.sql.encode()
        return await proceed(query)


@caught("hostile_arguments", "is a fault of it: on_query: RuntimeError: no hash")
class Hashing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        with suppress(TypeError):
            hash(query.args)
        return await proceed(query)


@caught("hostile_cache_misses", "is a fault of it: on_cache_miss: IndexError")
class Guessing(Plugin):
    @hookimpl
    async def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        _ = query.sql.split()[0]
        return None


@caught("hostile_metrics", "is a fault of it: on_metric: ValueError")
class Rounding(Plugin):
    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        int(value)


@caught("bounded_metrics", "bytes more, however many there were before")
class Unbounded(Plugin):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: dict[Metric, list[float]] = {}

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.seen.setdefault(metric, [0.0, 0.0])[0] += value


@caught("every_pressure", "is a fault of it: on_memory_pressure: ZeroDivisionError")
class Dividing(Plugin):
    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        return Freed(100 // pressure.bytes_over)


@caught("every_pressure", "at NORMAL it gives Freed")
class Negative(Plugin):
    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        return Freed(-5, "less")


# -- time ---------------------------------------------------------------------------------------------


def compute(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@caught("time_of_on_query", "on_query stops the event loop for")
class Sleeping(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        time.sleep(0.03)  # noqa: ASYNC251  # that is the fault
        return await proceed(query)


@caught("time_of_on_query", "of CPU between two awaits")
class Computing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        compute(0.02)
        return await proceed(query)


@caught("time_of_on_metric", "on_metric takes")
class ComputingMetric(Plugin):
    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        compute(0.003)


@caught("time_of_on_cache_miss", "on_cache_miss takes")
class ComputingMiss(Plugin):
    @hookimpl
    def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        compute(0.02)
        return None


@caught("time_of_on_memory_pressure", "on_memory_pressure stops the event loop")
class SleepingRelief(Plugin):
    @hookimpl
    def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        time.sleep(0.15)
        return None


# -- what it tells ------------------------------------------------------------------------------------


@caught("explain", "explain of '' ends in IndexError")
class Explaining(Plugin):
    async def explain(self, query: Query) -> dict[str, Any] | None:
        return {"first": query.sql.split()[0]}


@caught("stats", "stats() gives 'rate': nan")
class Counting(Plugin):
    def stats(self) -> dict[str, float]:
        return {"rate": float("nan")}


@caught("checkup", "checkup")
class Checking(Plugin):
    async def checkup(self) -> Any:
        class Finding:
            subject, found, verdict, advice = "disk", "full", "problem", ""

        return [Finding()]
