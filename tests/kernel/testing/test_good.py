"""A plugin that keeps all promises passes every check."""

from __future__ import annotations

from galvo import Plugin, Proceed, Query, Rows, hookimpl
from galvo.testing import PluginContract


class Good(Plugin):
    name = "good"

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)


class TestGood(PluginContract):
    plugin = Good
