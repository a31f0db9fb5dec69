"""What a plugin can see of the others."""

from __future__ import annotations

import pytest

from galvo import Context, Kernel, Leasing, Plugin, Proceed, Query, Rows, hookimpl

pytestmark = pytest.mark.anyio


class Looks(Plugin):
    name = "looks"
    provides = ("looks",)


class Counts(Plugin):
    name = "counts"

    def stats(self) -> dict[str, float]:
        return {"bytes": 7}


async def test_who_runs_and_what_they_count() -> None:
    async with Kernel.of({Looks: {}, Counts: {}}) as kernel:
        context = kernel.find_capability("looks").context
        assert context.running() == ["looks", "counts"]
        assert context.plugin_stats("counts") == {"bytes": 7}
        await kernel.disable("counts")
        assert context.running() == ["looks"]
        assert context.plugin_stats("counts") == {}


class Asked(Plugin):
    name = "asked"
    provides = ("asked",)

    def __init__(self, settings: object, context: Context) -> None:
        super().__init__(settings, context)
        self.seen: list[tuple[str, str]] = []

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        self.seen.append((query.sql, query.origin))
        return Rows()


async def test_the_sessions_of_a_plugin_ask_in_its_name() -> None:
    async with Kernel.of({Looks: {}, Asked: {}}) as kernel:
        looks = kernel.find_capability("looks")
        for who in (Leasing(looks.context.run, origin=looks.name), kernel):
            async with who.acquire() as session:
                await session.fetch("session")
            async with who.transaction() as session:
                await session.execute("transaction")
        seen = [(sql, origin) for origin in ("looks", "") for sql in ("session", "BEGIN", "transaction", "COMMIT")]
        assert kernel.find_capability("asked").seen == seen
