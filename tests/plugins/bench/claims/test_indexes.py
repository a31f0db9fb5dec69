from __future__ import annotations

import os
from typing import Any

import pytest

from galvo_bench.claims import indexes
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.index import advised, shop
from galvo_bench.index.sets import IndexSet
from galvo_bench.results.model import Result
from galvo_bench.running.stand import Stand
from galvo_index.advise.catalog import load

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of a few pages, about which the advisor must say something all the same."""
    monkeypatch.setattr(shop, "NAME", f"bench_indexes_{os.getpid()}")
    monkeypatch.setattr(shop, "REQUESTS", 400)
    monkeypatch.setattr(load, "LEAST_PAGES", 4)
    monkeypatch.setattr(advised, "SCALE", 0.1)
    monkeypatch.setattr(advised, "WORKS", {"project pages": (shop.pages, 15), "all requests": (shop.requests, 60)})


async def test_advice_that_says_nothing_is_seen(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = await indexes.measure(stand)
    monkeypatch.setattr(shop, "advised", nothing)
    lie = await indexes.measure(stand)
    assert lie.middle > honest.middle
    assert verdict(CLAIMS["indexes"], lie) in {"missed", "not shown"}
    assert "none" in lie.sections[0].explains
    assert "project_part (project_id" in honest.sections[0].explains
    for section in honest.sections:
        assert {row.rounds for row in section.rows if isinstance(row, Result)} == {stand.few}
        names = [row.name for row in section.rows if isinstance(row, Result)]
        assert names == [shop.WITHOUT, shop.ADVISED, shop.BY_HAND, "the first again (A/A)"]


async def nothing(*_: Any) -> IndexSet:
    return IndexSet("nothing", ())
