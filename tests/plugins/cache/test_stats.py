"""The counters add up to what happened."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from random import Random
from time import monotonic
from typing import Any

import anyio
import pytest

from galvo import Metric, Plugin, hookimpl, metering
from galvo_embedded import Servers
from tests.plugins.cache.situations.situation import Situation, shared, two, until
from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, RAISE, Stand, standing

pytestmark = pytest.mark.anyio


async def test_every_read_is_counted_once(dsn: str) -> None:
    """Of a random day: hits, misses, joins, refusals and failures together are the reads."""
    async with standing(dsn, {"max_bytes": 2**16, "max_statements": 10}) as stand:
        chance, done = Random(5), Counter[str]()

        async def client() -> None:
            for _ in range(60):
                roll = chance.random()
                if roll < 0.7:
                    done["reads"] += 1
                    await stand.kernel.fetchval(PRICE, chance.randrange(40))
                elif roll < 0.8:
                    done["reads"] += 1
                    await stand.kernel.fetch(chance.choice([ALL, JOBS, LOG]))
                elif roll < 0.85:
                    done["reads"] += 1
                    await stand.kernel.fetch(f"select id + {chance.randrange(30)} from material")
                elif roll < 0.95:
                    done["refused"] += 1
                    await stand.kernel.fetchval("select random() from material")
                else:
                    done["writes"] += 1
                    await stand.kernel.execute(RAISE, chance.randrange(5))

        await asyncio.gather(*(client() for _ in range(5)))
        stats = stand.kernel.plugin_stats("cache")
        assert stats["hits"] + stats["misses"] + stats["joined"] == done["reads"]
        assert stats["refused"] == stats["refused_volatile_function"] == done["refused"]
        assert stats["writes"] == done["writes"]
        assert stats["flushes"] == stats["wrong"] == stats["pending"] == 0
        assert stats["misses"] == stats["stored"] + stats["overtaken"] + stats["bypassed"]
        assert stats["misses"] == sum(count for name, count in stats.items() if name.startswith("misses_"))
        ran = sum(not query.origin for query in stand.gate.seen)
        assert ran == stats["misses"] + done["refused"] + done["writes"]
        assert (
            stats["hits"]
            == stats["hits_l1"]
            == done["reads"] + done["refused"] + done["writes"] - ran - stats["joined"]
        )
        assert stats["hit_ratio"] == stats["hits"] / done["reads"]
        assert stats["hit_ratio_all"] == stats["hits"] / (done["reads"] + done["refused"])
        assert 0 < stats["bytes"] <= 2**16
        assert stats["statements"] <= 10
        cache = stand.kernel.find_capability("cache")
        entries = [e for _, plan in cache._plans for e in (*plan.one.values(), *plan.many.values())]
        assert stats["entries"] == len(entries)
        assert stats["bytes"] == sum(entry.weight for entry in entries)


async def test_the_counters_survive_a_schema_change(dsn: str) -> None:
    async with standing(dsn) as stand:
        for _ in range(5):
            await stand.kernel.fetchval(PRICE, 1)
        await stand.kernel.execute("create table other()")
        assert (stand["hits"], stand["misses"]) == (4, 1)
        assert (stand["writes"], stand["flushes"]) == (1, 1)
        assert (stand["entries"], stand["bytes"]) == (0, 0)
        await stand.kernel.fetchval(PRICE, 1)
        assert (stand["hits"], stand["misses"]) == (4, 2)


async def test_explain_says_what_and_why(dsn: str) -> None:
    async with standing(dsn) as stand:

        async def told(sql: str) -> dict[str, Any]:
            return dict((await stand.kernel.explain(sql))["cache"])

        await stand.kernel.fetchval(PRICE, 1)
        await stand.kernel.fetchval(PRICE, 1)
        read = await told(PRICE)
        cost = stand.plan(PRICE).cost.value
        assert read == {
            "effect": "read", "cacheable": True, "tables": ["public.material"], "rows": ["public.material.id"],
            "columns": ["id", "price"], "outside_writes": {"public.material": "ttl"}, "ttl": 600,
            "hits": 1, "misses": 1, "cost": cost, "saved": cost,
            "key": {
                "namespace": "this process",
                "statement": PRICE,
                "arguments": "their types and values",
                "result": "all rows (fetch) or the first one (fetchrow, fetchval)",
                "session": "the pool's settings, and those that a session has changed",
            },
        }  # fmt: skip
        assert (await told("select * from material"))["columns"] == "all"
        secret = (await told("select name from material where id = 7 and name = 'geheim' -- geheim"))["key"]
        assert secret["statement"] == "select name from material where id = ? and name = ?"
        assert "rows" not in await told(JOBS)
        assert (await told(RAISE))["tables"] == ["public.material"]
        assert (await told("delete from material"))["tables"] == ["public.job", "public.material"]
        assert (await told("select now()")) == {
            "effect": "refused", "cacheable": False, "reason": (await told("select now()"))["reason"],
        }  # fmt: skip
        assert (await told("drop table log"))["effect"] == "everything"
        assert (await told("begin")) == {
            "effect": "control", "cacheable": False, "reason": "it controls a transaction or session",
        }  # fmt: skip
        assert (await told(RAISE))["reason"] == "it writes"
        assert await stand.truth(LOG) == 0, "explaining runs nothing"
        with_args = (await stand.kernel.explain(PRICE, 1))["cache"]["key"]
        assert with_args["arguments"] == ["int"], "the type, not the value"


async def test_a_stopped_cache_has_none(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        await stand.kernel.disable("cache")
        assert stand.kernel.plugin_stats("cache") == {}
        await stand.kernel.enable("cache")
        assert stand["hits"] == stand["entries"] == 0


async def test_misses_by_reason(dsn: str) -> None:
    """Each read reaches the gate for the reason that is counted."""
    row = "select name from material where id = $1"
    async with standing(dsn, {"max_bytes": 2**16, "max_entry_bytes": 4096}) as stand:
        expected = Counter[str]()

        async def missed(reason: str, sql: str, *args: Any) -> None:
            expected[reason] += 1
            before = stand.ran(sql)
            await stand.kernel.fetch(sql, *args)
            assert stand.ran(sql) == before + 1
            assert by_reason(stand) == expected

        for sql, args in ((row, (1,)), (JOBS, ()), (PRICE, (1,))):
            await missed("cold", sql, *args)
            await stand.kernel.fetch(sql, *args)
        await stand.kernel.execute("update material set name = name where id = 1")
        await missed("invalidated", row, 1)
        await stand.kernel.execute("delete from job where id = 5")
        await missed("invalidated", JOBS)
        await missed("cold", row, 2)
        stand.plan(row).many[(2,)].expires = stand.plan(row).many[(2,)].ends = 0.0
        await missed("expired", row, 2)
        for number in range(100, 300):
            await missed("cold", PRICE, number)
        assert stand["evicted"] > 0
        gone = next(number for number in range(100, 300) if (number,) not in stand.plan(PRICE).many)
        await missed("evicted", PRICE, gone)
        stop = stand.gate.stop("update")
        write = asyncio.create_task(stand.kernel.execute(RAISE, 3))
        await stop.reached.wait()
        await missed("pending_write", PRICE, 3)
        stop.go.set()
        await write
        cache = stand.kernel.find_capability("cache")
        cache._trust.lease(0.0)
        await missed("untrusted", PRICE, 3)
        cache._trust.lease(math.inf)
        cache._reading.settled = False
        await missed("starting", PRICE, 3)
        cache._reading.settled = True


async def wrote(s: Situation, before: float) -> bool:
    return s["l2_writes"] > before


async def test_hits_by_level(dsn: str, servers: Servers) -> None:
    """What another process has read is a hit, if not of this memory."""
    cache = shared(await servers.redis())
    crowd = ", ".join(f"material {name}" for name in "abcdefgh")  # a cheap answer is not worth a place in Redis
    async with two(dsn, cache=cache) as first, two(dsn, schema=None, cache=cache) as second:
        await until(first.shares)
        await until(second.shares)
        for attempt in range(10):  # on a busy machine a lease may end meanwhile
            sql = f"select a.name, count(*), {attempt} from {crowd} group by a.name"
            written = first["l2_writes"]
            await first.kept(sql)
            await until(lambda written=written: wrote(first, written))
            before = second.kernel.plugin_stats("cache")
            for _ in range(3):
                await second.kernel.fetch(sql)
            now = second.kernel.plugin_stats("cache")
            if second.ran(sql) == 0:
                break
        names = ("hits_l1", "hits_l2", "hits", "misses")
        assert [now[name] - before[name] for name in names] == [2, 1, 3, 0]
        assert now["hits"] == now["hits_l1"] + now["hits_l2"]
        assert now["misses"] == sum(by_reason(second).values()) - now["hits_l2"]
        assert now["hit_ratio"] == now["hits"] / (now["hits"] + now["misses"] + now["joined"])


async def test_seconds_saved_are_hits_times_what_a_run_costs(dsn: str) -> None:
    slow = "select id, pg_sleep(0) is null from material where id = $1"
    async with standing(dsn) as stand:
        for number in (1, 2):
            await stand.kernel.fetchval(PRICE, number)
        for _ in range(5):
            await stand.kernel.fetchval(PRICE, 1)
        cost = stand.plan(PRICE).cost.value
        hits = 7 - stand.ran(PRICE)
        assert hits == stand["hits"] == 5
        assert stand["seconds_saved"] == hits * cost
        await stand.kernel.fetchval(PRICE, 3)
        assert stand["seconds_saved"] == hits * cost, "what was saved counts what it cost then"
        await stand.kernel.execute("create table other()")
        assert stand["seconds_saved"] == hits * cost, "it survives the statement"
        await stand.kernel.fetchval(slow, 1)
        assert stand["refused"] == 1


async def test_the_ratios(dsn: str) -> None:
    """One counts reads that may be cached, the other one all of them."""
    async with standing(dsn) as stand:
        assert (stand["hit_ratio"], stand["hit_ratio_all"]) == (0, 0)
        for _ in range(4):
            await stand.kernel.fetchval(PRICE, 1)
        await stand.kernel.fetchval("select random()")
        async with stand.kernel.transaction() as session:
            await session.fetchval(PRICE, 1)
            await session.fetchval(PRICE, 1)
        await stand.kernel.execute(RAISE, 1)
        assert stand.ran(PRICE) == 3
        assert (stand["hits"], stand["misses"], stand["refused"]) == (3, 1, 3)
        assert stand["hit_ratio"] == 3 / 4
        assert stand["hit_ratio_all"] == 3 / 7
        await stand.kernel.fetchval("select repeat('x', 2000000) from material")
        assert stand["refused_too_large"] == 1
        assert stand["hit_ratio_all"] == 3 / 8, "it was read, and is a miss already"


async def test_a_stale_answer_is_no_hit(dsn: str) -> None:
    """Neither reached it the database; it is a read all the same, and what is read in the background is none."""
    async with standing(dsn) as stand:
        for _ in range(3):
            await stand.kernel.fetchval(PRICE, 1, stale_ok=60)
        entry = stand.plan(PRICE).one[(1,)]
        entry.ends = entry.expires = monotonic() - 1
        await stand.kernel.fetchval(PRICE, 1, stale_ok=60)

        async def refreshed() -> bool:
            return stand["refreshed_stale"] == 1

        await until(refreshed)
        assert stand.ran(PRICE) == 2
        assert (stand["hits"], stand["misses"], stand["stale_hits"], stand["served_stale"]) == (2, 1, 1, 1)
        assert stand["hit_ratio"] == stand["hit_ratio_all"] == 2 / 4


async def test_the_top_statements(dsn: str) -> None:
    """By what was saved and by what a refusal cost; the text has no literals, and texts that differ in them are one."""
    async with standing(dsn) as stand:
        for number in (1, 2, 2, 2):
            await stand.kernel.fetchval(f"select name from material where id = {number} and name <> 'geheim'")
        for _ in range(3):
            await stand.kernel.cached("geheim", cached, depends_on=["job"])
        for _ in range(2):
            await stand.kernel.fetchval("select random() from material where name = 'geheim'")
        await stand.kernel.fetchval("select random() from pg_sleep(0.05), material where name <> 'geheim'")
        async with stand.kernel.transaction() as session:
            await session.fetchval(PRICE, 99)
        top = stand.kernel.find_capability("cache").top()
        assert "geheim" not in str(top)
        saved = {one["statement"]: (one["hits"], one["misses"]) for one in top["saved"]}
        assert saved == {
            "select name from material where id = ? and name <> ?": (2, 2),
            "cached(depends_on=job)": (2, 1),
        }
        assert sum(one["seconds"] for one in top["saved"]) == pytest.approx(stand["seconds_saved"])
        refused = [(one["statement"], one["reason"], one["runs"]) for one in top["refused"]]
        assert refused[0] == ("select random() from pg_sleep(?), material where name <> ?", "volatile_function", 1)
        assert top["refused"][0]["seconds"] >= 0.05
        assert sorted(refused[1:]) == [
            (PRICE, "transaction", 1),
            ("select random() from material where name = ?", "volatile_function", 2),
        ]
        assert len(stand.kernel.find_capability("cache").top(1)["refused"]) == 1


async def cached() -> int:
    return 1


class SinkPlugin(Plugin):
    """Adds up what it is told."""

    name = "sink"
    provides = ("sink",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.sums = Counter[Any]()
        self.told = 0

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        if metric.name.startswith("galvo.cache."):
            self.told += 1
            name = (metric.name.removeprefix("galvo.cache."), *(value for _, value in metric.attributes))
            self.sums[name] = value if metric.kind == "gauge" else self.sums[name] + value


async def test_metrics_add_up_to_the_counters(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told from time to time, not by a hit."""
    monkeypatch.setattr(metering, "INTERVAL", 0.01)
    async with standing(dsn, more=(SinkPlugin,)) as stand:
        sink = stand.kernel.find_capability("sink")
        for number in (1, 1, 2, 1):
            await stand.kernel.fetchval(PRICE, number)
        await stand.kernel.execute(RAISE, 1)
        await stand.kernel.fetchval(PRICE, 1)
        await stand.kernel.fetchval("select random()")
        await told(sink)
        assert sink.sums[("hits", "l1")] == stand["hits"] == 2
        assert sink.sums[("misses", "cold")] == stand["misses_cold"] == 2
        assert sink.sums[("misses", "invalidated")] == stand["misses_invalidated"] == 1
        assert sink.sums[("refusals", "volatile_function")] == 1
        assert sink.sums[("time_saved",)] == pytest.approx(stand["seconds_saved"])
        assert sink.sums[("size",)] == stand["bytes"] > 0
        assert sink.sums[("entries",)] == stand["entries"] == 2
        assert sink.sums[("hit_ratio",)] == stand["hit_ratio"] == 2 / 5
        monkeypatch.setattr(metering, "INTERVAL", 1000)
        await told(sink, 1)
        before = sink.told
        for _ in range(100):
            await stand.kernel.fetchval(PRICE, 1)
        assert sink.told == before
        await stand.kernel.disable("cache")
        assert sink.sums[("hits", "l1")] == 102, "the last ones are told at the stop"


async def told(sink: SinkPlugin, rounds: int = 2) -> None:
    """Wait until the counters of now were told: the first round may have begun before."""
    for _ in range(rounds):
        before = sink.told
        with anyio.fail_after(10):
            while sink.told == before:  # noqa: ASYNC110  # nothing tells
                await anyio.sleep(0.01)


def by_reason(stand: Stand) -> Counter[str]:
    stats = stand.kernel.plugin_stats("cache")
    return Counter({name[7:]: int(count) for name, count in stats.items() if name.startswith("misses_")})
