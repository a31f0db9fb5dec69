"""Which tables are being written now, and which plans a write invalidates.

A write is announced before it is sent and taken back after it was acknowledged or its outcome is open. Between
the two nothing that depends on its tables is served or stored, so a reader never sees the old answer after
somebody else saw the new one.
"""

from __future__ import annotations

from collections.abc import Iterable

from galvo_cache.plans import Plan


class Ledger:
    """Pending writes per table, and the plans that read each table."""

    def __init__(self) -> None:
        self._pending: dict[int, int] = {}
        self._everything = 0
        self._readers: dict[int, set[Plan]] = {}
        self._plans: set[Plan] = set()

    def enter(self, plan: Plan) -> None:
        """Invalidate `plan` from now on whenever one of its tables is written."""
        self._plans.add(plan)
        for table in plan.tables or ():
            self._readers.setdefault(table, set()).add(plan)

    def leave(self, plan: Plan) -> None:
        """Forget `plan`; its answers die with it."""
        plan.generation += 1
        self._plans.discard(plan)
        for table in plan.tables or ():
            readers = self._readers.get(table)
            if readers is not None:
                readers.discard(plan)
                if not readers:
                    del self._readers[table]

    def quiet(self, plan: Plan) -> bool:
        """No write is under way that could change an answer of `plan`: its generation is a valid stamp."""
        if self._everything:
            return False
        return not (self._pending and any(table in self._pending for table in plan.tables or ()))

    def begin(self, tables: Iterable[int] | None) -> None:
        """A write to `tables` (None: to anything) is about to be sent."""
        if tables is None:
            self._everything += 1
            for plan in self._plans:
                plan.generation += 1
            return
        for table in tables:
            self._pending[table] = self._pending.get(table, 0) + 1
            for plan in self._readers.get(table, ()):
                plan.generation += 1

    def end(self, tables: Iterable[int] | None) -> None:
        """The write announced with the same `tables` has ended."""
        if tables is None:
            self._everything -= 1
            return
        for table in tables:
            left = self._pending[table] - 1
            if left:
                self._pending[table] = left
            else:
                del self._pending[table]

    @property
    def pending(self) -> int:
        """Announced writes, counted per table."""
        return self._everything + sum(self._pending.values())
