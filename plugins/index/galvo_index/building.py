"""Builds by itself what the advisor advises on what was watched; imported only when the settings say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import asyncpg

from galvo import Context
from galvo_index.advise import Advice, advise
from galvo_index.apply import auto
from galvo_index.settings import IndexSettings
from galvo_index.workload import Statement
from galvo_index.workload.seen import seen, source


async def run(context: Context, settings: IndexSettings, watched: Callable[[], Sequence[Statement]]) -> None:
    """Never ends."""

    async def advised(connection: asyncpg.Connection, budget: int) -> Sequence[Advice]:
        return await advise(connection, await seen(connection, watched()), budget=budget)

    await auto.run(context, settings, advised, source(context.capability("pool").connect, watched))
