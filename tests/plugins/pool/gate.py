"""A plugin before the pool that lets statements wait."""

from __future__ import annotations

import asyncio
from typing import Any

from galvo import Plugin, Proceed, Query, Rows, hookimpl


class GatePlugin(Plugin):
    """Statements that contain `/* gate */` wait; `reached` is set when one does, and it goes on when `open` is set."""

    name = "gate"
    provides = ("gate",)

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if "/* gate */" in query.sql:
            self.reached.set()
            await self.open.wait()
        return await proceed(query)
