"""Plugins that ask for more than they should, for the gate to notice."""

from __future__ import annotations

from galvo import Plugin, Proceed, Query, Rows, hookimpl


class Asking(Plugin):
    """One more query for each, whether it is answered from memory or not."""

    name = "asking"

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if query.origin != self.name and query.session is None:
            await self.context.fetchval("select random()")
        return await proceed(query)


class Telling(Plugin):
    """One more command to Redis."""

    name = "telling"

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        sharing = self.context.capability("cache")._sharing
        if sharing.on:
            await sharing.client.echo("again")
        return await proceed(query)


class Hoarding(Plugin):
    """Some more memory."""

    name = "hoarding"
    BYTES = 5_000

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        held = bytes(self.BYTES)
        try:
            return await proceed(query)
        finally:
            del held
