"""What the plugin does. `python -m pydoc galvo.hookspecs` is the manual of the hooks."""

from __future__ import annotations

from time import perf_counter

from galvo import Context, Plugin, Proceed, Query, Rows, hookimpl

from galvo_replicas.settings import ReplicasSettings


class ReplicasPlugin(Plugin):
    """Say here in one line what it does: `galvo settings` shows it."""

    name = "replicas"
    api = ">=1,<2"
    settings_type = ReplicasSettings

    def __init__(self, settings: ReplicasSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._queries = self._slow = 0

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        """Pass the query on, and count it."""
        began = perf_counter()
        try:
            return await proceed(query)
        finally:
            self._queries += 1
            self._slow += perf_counter() - began > self._settings.slow

    def stats(self) -> dict[str, float]:
        """Counters since the start, for `kernel.plugin_stats()` and the tests."""
        return {
            "queries": self._queries,
            "slow": self._slow,
        }
