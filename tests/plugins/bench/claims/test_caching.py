"""Counted: what galvo's cache answers is what the wire does not see, and neither can be made up."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from galvo import GalvoError, Kernel
from galvo_bench.claims import caching, shops
from galvo_bench.claims.caching import Round
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.results.model import Values
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio
NAME = f"bench_claims_{os.getpid()}"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shops, "NAME", NAME)
    monkeypatch.setattr(shops, "SCALE", 0.02)
    monkeypatch.setattr(caching, "REQUESTS", 60)
    monkeypatch.setattr(caching, "WARM", 250)


@pytest.fixture(autouse=True)
async def dropped(server_dsn: str) -> AsyncIterator[None]:
    yield
    top = await asyncpg.connect(server_dsn)
    left = await top.fetch("select datname from pg_database where datname like $1", f"{NAME}%")
    await top.execute(f"drop database if exists {NAME} with (force)")
    await top.close()
    assert {row[0] for row in left} <= {NAME}, "copies are left"


async def test_a_cache_that_answers_nothing_is_seen(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = await caching.counted_rounds(stand)
    lie = await rounds_without_cache(stand, monkeypatch)
    assert [one.plain for one in lie] == [one.plain for one in honest], "not the same requests"
    assert all(0 < one.reads < one.plain for one in honest)
    for claim, measure in (("hits", caching.hits), ("load", caching.load)):
        true, false = [await told(monkeypatch, measure, stand, rounds) for rounds in (honest, lie)]
        assert verdict(CLAIMS[claim], false) == "missed"
        assert false.galvo != true.galvo
    assert (await told(monkeypatch, caching.load, stand, lie)).middle >= 1
    assert (await told(monkeypatch, caching.load, stand, honest)).middle < 0.5
    assert (await told(monkeypatch, caching.hits, stand, lie)).galvo <= 0


async def rounds_without_cache(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> list[Round]:
    @asynccontextmanager
    async def kernel(url: str, redis: str) -> AsyncIterator[Any]:
        async with Kernel.from_settings(
            overrides={"embedded": {"on": False}, "pool": {"url": url}, "cache": {"mode": "off"}}
        ) as made:
            yield made

    with monkeypatch.context() as patched:
        patched.setattr(caching, "_galvo", kernel)
        return await caching.counted_rounds(stand)


async def told(monkeypatch: pytest.MonkeyPatch, measure: Any, stand: Stand, rounds: list[Round]) -> Any:
    async def known(_: Stand) -> list[Round]:
        return rounds

    with monkeypatch.context() as patched:
        patched.setattr(caching, "_rounds", known)
        return await measure(stand)


GOOD = [Round(reads=1_000, plain=1_100, galvo=120, hits=979), Round(reads=1_000, plain=1_100, galvo=110, hits=990)]


async def test_figures_come_from_the_wire(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    hits = await told(monkeypatch, caching.hits, stand, GOOD)
    assert (hits.galvo, verdict(CLAIMS["hits"], hits)) == (pytest.approx(98.5), "met")
    load = await told(monkeypatch, caching.load, stand, GOOD)
    assert load.middle == pytest.approx(230 / 2_200)
    assert [row.values["queries on the wire"] for row in load.sections[0].rows if isinstance(row, Values)] == [
        2_200,
        230,
    ]


async def test_a_cache_that_counts_hits_it_did_not_have_is_refused(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    boast = [Round(reads=1_000, plain=1_100, galvo=400, hits=990)]
    with pytest.raises(GalvoError, match=r"the cache says 99.0 % hits, the wire 70.0 %"):
        await told(monkeypatch, caching.hits, stand, boast)
