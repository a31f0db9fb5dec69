"""The counters add up to what happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

import pytest

from tests.plugins.cache.stand import ALL, JOBS, LOG, PRICE, RAISE, standing

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
        ran = sum(not query.origin for query in stand.gate.seen)
        assert ran == stats["misses"] + done["refused"] + done["writes"]
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
        assert read == {
            "effect": "read", "cacheable": True, "tables": ["public.material"], "rows": ["public.material.id"],
            "outside_writes": {"public.material": "ttl"}, "ttl": 600, "hits": 1, "misses": 1,
        }  # fmt: skip
        assert (await told(RAISE))["tables"] == ["public.material"]
        assert (await told("delete from material"))["tables"] == ["public.job", "public.material"]
        assert (await told("select now()")) == {
            "effect": "refused", "cacheable": False, "reason": (await told("select now()"))["reason"],
        }  # fmt: skip
        assert (await told("drop table log"))["effect"] == "everything"
        assert (await told("begin")) == {"effect": "control", "cacheable": False}
        assert await stand.truth(LOG) == 0, "explaining runs nothing"


async def test_a_stopped_cache_has_none(dsn: str) -> None:
    async with standing(dsn) as stand:
        await stand.warm(PRICE, 1)
        await stand.kernel.disable("cache")
        assert stand.kernel.plugin_stats("cache") == {}
        await stand.kernel.enable("cache")
        assert stand["hits"] == stand["entries"] == 0
