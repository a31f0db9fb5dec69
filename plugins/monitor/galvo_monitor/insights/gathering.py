"""Asks the other plugins, by what they provide; one that is not there, or fails, tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from galvo import Context
from galvo_monitor.database import Database
from galvo_monitor.insights.facts import Facts, Leak, Refused, Suggestion
from galvo_monitor.system import System

SELDOM = 10
"""Looks, of which one asks the cache for its statements: that takes it milliseconds."""
MOST = 5
"""Refused statements."""


class Gathering:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._looks = 0

    def facts(self, system: System | None = None, database: Database | None = None) -> Facts:
        """Of now; does not wait for anything. Never raises."""
        seldom = self._looks % SELDOM == 0
        self._looks += 1
        found: dict[str, Any] = {}
        with self._part("pool"):
            found["pool"] = self._context.plugin_stats("pool")
            if (pool := self._context.capability("pool")) is not None and hasattr(pool, "pids"):
                found["pool_pids"] = pool.pids()
                found["pool_hosted"] = bool(getattr(pool, "hosted", False))
        with self._part("cache"):
            found["cache"] = self._context.plugin_stats("cache")
            if seldom and (cache := self._context.capability("cache")) is not None:
                found["refused"] = tuple(
                    Refused(one["statement"], one["reason"], one["seconds"], one["runs"])
                    for one in cache.top(MOST)["refused"]
                )
        with self._part("memory"):
            if self._context.plugin_stats("memory").get("leak"):
                found["leak"] = _leak(self._context.capability("memory"))
        with self._part("index"):
            if (index := self._context.capability("index")) is not None:
                found["suggestions"] = tuple(
                    Suggestion(one.rule, one.subject, one.seen, one.advice)
                    for one in index.findings()
                    if one.severity != "info"
                )
        return Facts(
            database=database.sample if database is not None else None,
            machine=system.sample if system is not None else None,
            disks=tuple(system.disks) if system is not None else (),
            **found,
        )

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  # another plugin's fault is not ours
            self._context.log.debug("%s did not tell how it is: %s: %s", name, type(error).__name__, error)


def _leak(memory: Any) -> Leak | None:
    state = memory.state()
    if state.leak.kind == "none":
        return None
    leak = state.leak
    return Leak(leak.kind, leak.slope_bytes_per_hour, leak.confidence, leak.evidence, tuple(state.found))
