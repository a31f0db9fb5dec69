"""The layer of `on_query` between cache and pool: it sees what reaches the database."""

from __future__ import annotations

from galvo import Context, Plugin, Proceed, Query, Rows, hookimpl
from galvo_index.settings import IndexSettings


class IndexPlugin(Plugin):
    """Watches, and changes nothing unless the settings say so."""

    name = "index"
    after = ("embedded", "pool")
    provides = ("index",)
    settings_type = IndexSettings

    def __init__(self, settings: IndexSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)
