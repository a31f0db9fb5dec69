"""What other plugins tell; one that fails tells nothing, and takes nobody with it."""

from __future__ import annotations

from typing import Any

import pytest

from galvo import Context, Kernel, Plugin
from galvo_index import IndexPlugin
from galvo_index.finding import Finding
from galvo_monitor.insights import Gathering, Suggestion
from tests.plugins.cache.stand import standing

pytestmark = pytest.mark.anyio


class Broken(Plugin):
    """Says that it is everything, and fails."""

    name = "pool"
    provides = ("pool", "cache", "memory", "index")

    def stats(self) -> dict[str, float]:
        raise RuntimeError("broken")

    def findings(self) -> list[Any]:
        raise RuntimeError("broken, too")


async def test_of_a_kernel_with_everything(dsn: str) -> None:
    async with standing(dsn, more=(IndexPlugin,)) as stand:
        index = stand.kernel.find_capability("index")
        index._watch._found(Finding("a-rule", "t", "It is slow.", "Make it quick."))
        index._watch._found(Finding("a-note", "t", "It is there.", "Nothing.", severity="info"))
        await stand.kernel.fetch("select now(), 'a secret'")
        gathering = Gathering(Context(stand.kernel, "monitor"))
        facts = gathering.facts()
        assert facts.pool["limit"] > 0
        assert len(facts.pool_pids) == facts.pool["size"]
        assert facts.cache["refused"] >= 1
        assert facts.refused is not None
        (refused,) = facts.refused
        assert "secret" not in refused.statement
        assert refused.runs == 1
        assert facts.suggestions == (Suggestion("a-rule", "t", "It is slow.", "Make it quick."),)
        assert facts.leak is None
        assert gathering.facts().refused is None, "not every time"


async def test_of_a_kernel_without_anything() -> None:
    async with Kernel.of({}) as kernel:
        facts = Gathering(Context(kernel, "monitor")).facts()
        assert not facts.pool
        assert not facts.cache
        assert facts.leak is facts.database is facts.machine is None


async def test_of_one_that_fails() -> None:
    async with Kernel.of({Broken: {}}) as kernel:
        facts = Gathering(Context(kernel, "monitor")).facts()
        assert not facts.pool
        assert facts.suggestions == ()
